"""Bearer tokens of the API: a short access token, and a refresh token that counts once."""

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
    """Begin a sign-in of a program; return its tokens."""
    pair = tokens.issue(shopper.id, sign_ins.new_id())
    sign_ins.begin(shopper, pair.sign_in, tokens.REFRESH_LIFETIME, pair.refresh_id)
    return pair.shown


def refresh() -> dict[str, Any]:
    """Return new tokens for the refresh token that the request carries, which counts no more. One that was used
    before ends the sign-in: somebody else has it. Raises NotSignedInError.
    """
    verify_jwt_in_request(refresh=True)
    claims = get_jwt()
    pair = tokens.issue(claims["sub"], claims["sid"])
    if not sign_ins.rotate(claims["sub"], claims["sid"], claims["jti"], pair.refresh_id):
        raise tokens.NotSignedInError("This refresh token was used before, so its sign-in has ended.")
    return pair.shown


def revoke() -> None:
    """End the sign-in of the token that the request carries, whichever of the two it is."""
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
