"""Sign-ins, one for each browser session and each family of tokens, stored in the shopper's document.

One read finds both the account and the sign-in. Erasing an account ends its sign-ins. The latest MAX_SIGN_INS are
valid.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_login import UserMixin

from client.store import database
from web.security.tokens import WrongCredentialsError

MAX_SIGN_INS = 50
_SHOWN = {"email": True, "created_at": True, "password_hash": True}


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """A shopper who is signed in; ``sign_in`` is the id of the sign-in."""

    id: str
    email: str
    created_at: datetime
    has_password: bool
    sign_in: str

    def get_id(self) -> str:
        """Return the content of the session's cookie."""
        return f"{self.id}.{self.sign_in}"


def new_id() -> str:
    """Return an id that cannot be guessed."""
    return secrets.token_urlsafe(32)


def begin(shopper: Any, id_: str, lifetime: timedelta, refresh_id: str | None = None) -> SignedIn:
    """Add a sign-in of ``shopper``, with the id of its refresh token if it has one.

    Raises WrongCredentialsError when the password was changed or the account erased since ``shopper`` was read.
    """
    sign_in = {"id": id_, "refresh_id": refresh_id, "expires_at": datetime.now(UTC) + lifetime}
    seen = {"_id": shopper.id, "password_hash": shopper.password_hash}
    pushed = _shoppers().update_one(seen, {"$push": {"sign_ins": {"$each": [sign_in], "$slice": -MAX_SIGN_INS}}})
    if not pushed.matched_count:
        raise WrongCredentialsError
    return SignedIn(shopper.id, shopper.email, shopper.created_at, bool(shopper.password_hash), id_)


def find(shopper_id: str, id_: str) -> SignedIn | None:
    """Return the shopper of a sign-in; None when it has ended or the account is erased."""
    lasting = {"$elemMatch": {"id": id_, "expires_at": {"$gt": datetime.now(UTC)}}}
    found = _shoppers().find_one({"_id": shopper_id, "sign_ins": lasting}, _SHOWN)
    if found is None:
        return None
    return SignedIn(shopper_id, found["email"], found["created_at"], bool(found["password_hash"]), id_)


def rotate(shopper_id: str, id_: str, old: str, new: str) -> bool:
    """Replace the refresh token ``old`` by ``new``. If ``old`` is not the valid one, it was stolen: end the sign-in."""
    valid = {"_id": shopper_id, "sign_ins": {"$elemMatch": {"id": id_, "refresh_id": old}}}
    rotated: bool = _shoppers().update_one(valid, {"$set": {"sign_ins.$.refresh_id": new}}).matched_count == 1
    if not rotated:
        end(shopper_id, id_)
    return rotated


def end(shopper_id: str, id_: str) -> None:
    """End one sign-in; repeating it changes nothing."""
    _shoppers().update_one({"_id": shopper_id}, {"$pull": {"sign_ins": {"id": id_}}})


def end_all(shopper_id: str) -> None:
    """End every sign-in of an account."""
    _shoppers().update_one({"_id": shopper_id}, {"$set": {"sign_ins": []}})


def _shoppers() -> Any:
    return database()["shoppers"]
