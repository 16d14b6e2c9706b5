"""Bearer tokens of the API: a short-lived access token, and a refresh token that works once."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import request
from flask_jwt_extended import get_current_user, get_jwt, verify_jwt_in_request

from admin.accounts import keys, sign_ins
from admin.accounts.identity import Actor, act_as
from admin.accounts.models import Staff
from admin.db.extensions import db
from web.security import tokens

P = ParamSpec("P")
R = TypeVar("R")


def issue(staff: Staff) -> dict[str, Any]:
    """Sign a program in; return its tokens. Commits."""
    pair = tokens.issue(str(staff.id), sign_ins.new_id())
    sign_ins.begin(staff, pair.sign_in, tokens.REFRESH_LIFETIME, pair.refresh_id)
    db.session.commit()
    return pair.shown


def refresh() -> dict[str, Any]:
    """Exchange the request's refresh token for new tokens. A second use ends the sign-in: the token was stolen.

    Raises NotSignedInError.
    """
    verify_jwt_in_request(refresh=True)
    claims, me = get_jwt(), get_current_user()
    pair = tokens.issue(claims["sub"], claims["sid"])
    if not sign_ins.rotate(claims["sid"], claims["jti"], pair.refresh_id, me.name):
        raise tokens.NotSignedInError("This refresh token was used before, so its sign-in has ended.")
    return pair.shown


def revoke() -> None:
    """End the sign-in of the request's token, access or refresh."""
    verify_jwt_in_request(verify_type=False)
    sign_ins.end(get_current_user())


def load_actor(claims: dict[str, Any]) -> Actor | None:
    """Return the account of a token, None when its sign-in has ended."""
    return sign_ins.find(claims["sid"])


def api_for(role: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Require a valid token or key with ``role`` or a higher one. Cookies are ignored."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            act_as(_caller(), role)
            return view(*args, **kwargs)

        return wrapper

    return decorate


def _caller() -> Actor:
    """Return the request's actor: staff with an access token, or a program with an API key."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.startswith(keys.PREFIX):
        if (machine := keys.find(token)) is None:
            raise tokens.NotSignedInError("The API key is not valid.")
        return machine
    person: Actor = tokens.caller()
    return person
