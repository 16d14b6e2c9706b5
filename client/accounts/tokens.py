"""Bearer tokens of the API: a short-lived access token, and a refresh token that is valid once."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import g
from flask_jwt_extended import get_current_user, get_jwt, verify_jwt_in_request

from client.accounts import sign_ins
from client.accounts.documents import Shopper
from client.accounts.sign_ins import SignedIn
from web.security import tokens

P = ParamSpec("P")
R = TypeVar("R")


def issue(shopper: Shopper) -> dict[str, Any]:
    """Begin a sign-in by API; return its tokens."""
    pair = tokens.issue(shopper.id, sign_ins.new_id())
    sign_ins.begin(shopper, pair.sign_in, tokens.REFRESH_LIFETIME, pair.refresh_id)
    return pair.shown


def refresh() -> dict[str, Any]:
    """Return new tokens for the refresh token in the request, which becomes invalid. A refresh token that was used
    before may be stolen and ends the sign-in. Raises NotSignedInError.
    """
    verify_jwt_in_request(refresh=True)
    claims = get_jwt()
    pair = tokens.issue(claims["sub"], claims["sid"])
    if not sign_ins.rotate(claims["sub"], claims["sid"], claims["jti"], pair.refresh_id):
        raise tokens.NotSignedInError("This refresh token was used before, so its sign-in has ended.")
    return pair.shown


def revoke() -> None:
    """End the sign-in of the access or refresh token in the request."""
    verify_jwt_in_request(verify_type=False)
    me: SignedIn = get_current_user()
    sign_ins.end(me.id, me.sign_in)


def load_shopper(claims: dict[str, Any]) -> SignedIn | None:
    """Return the account of a token, None when its sign-in has ended or the account was erased."""
    return sign_ins.find(claims["sub"], claims["sid"])


def signed_in_only(view: Callable[P, R]) -> Callable[P, R]:
    """Refuse a request without a valid access token; ``me`` is the shopper whose token it is."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        g.shopper = tokens.caller()
        return view(*args, **kwargs)

    return wrapper


def me() -> SignedIn:
    """Return the shopper who sent this request; only in views that are ``signed_in_only``."""
    shopper: SignedIn = g.shopper
    return shopper
