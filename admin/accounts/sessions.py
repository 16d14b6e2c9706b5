"""Sessions of the console, and the role that each page requires."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask

from admin.accounts import sign_ins
from admin.accounts.identity import Actor, act_as
from admin.accounts.models import VIEWER, Staff
from admin.db.extensions import db
from web.security import sessions

P = ParamSpec("P")
R = TypeVar("R")

LIFETIME = timedelta(hours=12)  # a working day
COOKIE = "console_session"


def init_console_sessions(app: Flask) -> None:
    sessions.init_sessions(app, COOKIE, sign_ins.find, sign_in="accounts.sign_in", lifetime=LIFETIME)


def begin(staff: Staff) -> None:
    """Sign ``staff`` in to the console, in a new session. Commits."""
    user = sign_ins.begin(staff, sign_ins.new_id(), LIFETIME)
    db.session.commit()
    sessions.begin(user)


def end() -> None:
    """Sign out of the console. Copies of the cookie stop working."""
    if (user := signed_in()) is not None:
        sign_ins.end(user)
    sessions.end()


def signed_in() -> Actor | None:
    """Return who is signed in to the console. Templates use ``current_user``, except on ``bare`` pages."""
    return sessions.signed_in()


def page_for(role: str = VIEWER) -> Callable[[Callable[P, R]], Callable[P, Any]]:
    """Require ``role`` or a higher one for a page. Redirects to the sign-in, or answers 403."""

    def decorate(view: Callable[P, R]) -> Callable[P, Any]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
            user = signed_in()
            if user is None:
                return sessions.ask_to_sign_in("accounts.sign_in")
            act_as(user, role)
            return view(*args, **kwargs)

        return wrapper

    return decorate


def may(role: str) -> bool:
    """Return whether the signed-in user has ``role``. Decides what a page offers, not what it allows."""
    user = signed_in()
    return user is not None and user.may(role)
