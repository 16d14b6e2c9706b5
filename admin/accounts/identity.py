"""The actor of a request: staff with a session or a token, or a program with an API key."""

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
    """``name`` is an e-mail, or ``key:`` and the key's name. ``staff_id`` and ``sign_in`` are None for a key."""

    name: str
    role: str
    staff_id: int | None = None
    sign_in: str | None = None

    def get_id(self) -> str:
        """Return the id that the session cookie stores."""
        return str(self.sign_in)

    def may(self, role: str) -> bool:
        """Return whether the actor has the rights of ``role``. In read-only mode everyone is a viewer."""
        effective = VIEWER if read_only() else self.role
        return ROLES.index(effective) >= ROLES.index(role)


def act_as(actor: Actor, role: str) -> None:
    """Set the request's actor, who needs ``role``. Raises ForbiddenError."""
    if not actor.may(role):
        if read_only():
            raise ReadOnlyError
        raise ForbiddenError(f"This requires the role {role}; yours is {actor.role}. An owner can change it.")
    g.actor = actor


def actor() -> Actor:
    """Return the request's actor, after ``act_as``."""
    found: Actor = g.actor
    return found


def author() -> str:
    """Return the actor's name for the change log and the audit trail."""
    return actor().name
