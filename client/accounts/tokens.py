"""Bearer tokens of the API: a short access token, and a refresh token that counts once."""

from typing import Any

from client.accounts import sign_ins
from client.accounts.documents import Shopper
from client.accounts.sign_ins import SignedIn
from web import tokens


def issue(shopper: Shopper) -> dict[str, Any]:
    """Begin a sign-in of a program; return its tokens."""
    pair = tokens.issue(shopper.id, sign_ins.new_id())
    sign_ins.begin(shopper, pair.sign_in, tokens.REFRESH_LIFETIME, pair.refresh_id)
    return pair.shown


def load_shopper(_header: dict[str, Any], payload: dict[str, Any]) -> SignedIn | None:
    """Find whose token it is, so that an ended sign-in or an erased account counts at once."""
    return sign_ins.find(payload["sub"], payload.get("sid", ""))
