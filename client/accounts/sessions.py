"""The shop's sessions. Flask-Login's ``current_user`` is a ``SignedIn``."""

from datetime import timedelta

from flask import Flask

from client.accounts import sign_ins
from client.accounts.documents import Shopper
from client.accounts.sign_ins import SignedIn
from web.security import sessions

LIFETIME = timedelta(days=30)
COOKIE = "shop_session"


def init_shop_sessions(app: Flask) -> None:
    sessions.init_sessions(app, COOKIE, _load, sign_in="account.sign_in", lifetime=LIFETIME)


def begin(shopper: Shopper) -> None:
    """Sign ``shopper`` in to the pages, in a new session."""
    sessions.begin(sign_ins.begin(shopper, sign_ins.new_id(), LIFETIME))


def end() -> None:
    """Sign out of the pages; the cookie, and any copy of it, becomes invalid."""
    user: SignedIn | None = sessions.signed_in()
    if user is not None:
        sign_ins.end(user.id, user.sign_in)
    sessions.end()


def _load(session_user: str) -> SignedIn | None:
    shopper_id, _, sign_in = session_user.partition(".")
    return sign_ins.find(shopper_id, sign_in)
