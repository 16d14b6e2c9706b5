"""Shoppers' accounts: sign up, change the password, close."""

import uuid
from datetime import UTC, datetime
from http import HTTPStatus

from pymongo.errors import DuplicateKeyError

from client.accounts import erasure
from client.accounts.documents import Shopper
from web.http.problems import ProblemError
from web.security import passwords, tokens


class EmailTakenError(ProblemError):
    status = HTTPStatus.CONFLICT


class WrongPasswordError(ProblemError):
    """The shopper is signed in, but gave a wrong password."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, field: str = "password") -> None:
        super().__init__("The password is wrong.", [{"field": field, "detail": "is wrong"}])


def sign_up(email: str, password: str) -> Shopper:
    """Create an account. Raises EmailTakenError and WeakPasswordError."""
    passwords.check(password, email)
    shopper = Shopper(
        id=uuid.uuid4().hex,
        email=email.lower(),
        password_hash=passwords.hash_password(password),
        created_at=datetime.now(UTC),
    )
    try:
        return shopper.create()
    except DuplicateKeyError:
        detail = f"An account for {email} already exists; sign in, or use another address."
        raise EmailTakenError(detail, [{"field": "email", "detail": "is taken"}]) from None


def authenticate(email: str, password: str) -> Shopper:
    """Return the account with this e-mail and password. Raises WrongCredentialsError."""
    shopper = Shopper.objects(email=email.lower()).first()
    if not passwords.matches(shopper.password_hash if shopper else None, password):
        raise tokens.WrongCredentialsError
    return shopper  # type: ignore[no-any-return]


def change_password(shopper_id: str, current: str, new: str) -> Shopper:
    """Change a shopper's password and end every sign-in. Raises WrongPasswordError and WeakPasswordError."""
    shopper = Shopper.objects(id=shopper_id).first()
    if not passwords.matches(shopper and shopper.password_hash, current):
        raise WrongPasswordError("current")
    _set_password(shopper, new)
    return shopper  # type: ignore[no-any-return]


def reset_password(email: str, new: str) -> bool:
    """Set the password of an account; return whether there is one. Raises WeakPasswordError."""
    shopper = Shopper.objects(email=email.lower()).first()
    if shopper is None:
        return False
    _set_password(shopper, new)
    return True


def _set_password(shopper: Shopper, new: str) -> None:
    passwords.check(new, shopper.email)
    shopper.password_hash = passwords.hash_password(new)
    # In one write, so that no sign-in with the old password remains.
    change = {"$set": {"password_hash": shopper.password_hash, "sign_ins": []}}
    Shopper._get_collection().update_one({"_id": shopper.id}, change)


def close_account(shopper_id: str, password: str) -> None:
    """Erase an account, its sign-ins and its likes. An account without a password is confirmed by its e-mail.

    Raises WrongPasswordError.
    """
    shopper = Shopper.objects(id=shopper_id).first()
    confirmed = shopper and not shopper.password_hash and password.strip().lower() == shopper.email
    if not confirmed and not passwords.matches(shopper and shopper.password_hash, password):
        raise WrongPasswordError
    erasure.erase(shopper_id)
