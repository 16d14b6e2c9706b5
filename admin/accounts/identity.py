"""Who acts in a request: staff by a session or a token, or a machine by its key. Set by the door they came through."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import g
from flask_login import UserMixin

from admin.accounts.models import ROLES, VIEWER
from web.http.problems import ProblemError
from web.security.read_only import ReadOnlyError, read_only


class ForbiddenError(ProblemError):
    status = HTTPStatus.FORBIDDEN


@dataclass(frozen=True)
class Actor(UserMixin):
    """``name``: an e-mail, or ``key:`` and the key's name. ``staff_id`` and ``sign_in`` are None for a machine."""

    name: str
    role: str
    staff_id: int | None = None
    sign_in: str | None = None

    def get_id(self) -> str:
        """Return what the session's cookie holds."""
        return str(self.sign_in)

    def may(self, role: str) -> bool:
        """Return whether this one may do what ``role`` may; in read-only mode everyone only looks."""
        held = VIEWER if read_only() else self.role
        return ROLES.index(held) >= ROLES.index(role)


def act_as(actor: Actor, role: str) -> None:
    """Let ``actor`` do something that takes ``role``. Raises ForbiddenError."""
    if not actor.may(role):
        if read_only():
            raise ReadOnlyError
        raise ForbiddenError(f"Your role is {actor.role}, and this takes the {role} role; ask an owner for it.")
    g.actor = actor


def actor() -> Actor:
    """Return who acts in this request; only where a door was passed."""
    found: Actor = g.actor
    return found


def author() -> str:
    """Return who acts, as the change log and the audit trail name them."""
    return actor().name
