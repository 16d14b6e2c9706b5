"""Bearer tokens of the API: a short access token, and a refresh token that counts once."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask_jwt_extended import current_user, verify_jwt_in_request

from admin.accounts import sign_ins
from admin.accounts.identity import Actor, act_as
from admin.accounts.models import Staff
from admin.extensions import db
from web import tokens

P = ParamSpec("P")
R = TypeVar("R")


def issue(staff: Staff) -> dict[str, Any]:
    """Begin a sign-in of a program; return its tokens. Commits."""
    pair = tokens.issue(str(staff.id), sign_ins.new_id())
    sign_ins.begin(staff, pair.sign_in, tokens.REFRESH_LIFETIME, pair.refresh_id)
    db.session.commit()
    return pair.shown


def load_actor(_header: dict[str, Any], payload: dict[str, Any]) -> Actor | None:
    """Find whose token it is, so that an ended sign-in or a changed role counts at once."""
    return sign_ins.find(payload.get("sid", ""))


def api_for(role: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuse who brings no valid token, or has a lower role. Cookies are not looked at."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            verify_jwt_in_request()
            act_as(current_user._get_current_object(), role)
            return view(*args, **kwargs)

        return wrapper

    return decorate
