"""Shoppers sign up and sign in."""

import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from mongoengine.errors import NotUniqueError

from client.accounts import erasure
from client.accounts.documents import Shopper
from web import passwords, tokens
from web.problems import ProblemError


class EmailTakenError(ProblemError):
    status = HTTPStatus.CONFLICT


class WrongPasswordError(ProblemError):
    """Signed in, but not who knows the password."""

    status = HTTPStatus.FORBIDDEN


def sign_up(email: str, password: str) -> Shopper:
    """Create an account. Raises EmailTakenError."""
    shopper = Shopper(
        id=uuid.uuid4().hex,
        email=email.lower(),
        password_hash=passwords.hash_password(password),
        created_at=datetime.now(UTC),
    )
    try:
        return shopper.save(force_insert=True)  # type: ignore[no-any-return]
    except NotUniqueError:
        detail = f"{email} already exists; sign in, or use another address."
        raise EmailTakenError(detail, [{"field": "email", "detail": "is taken"}]) from None


def authenticate(email: str, password: str) -> Shopper:
    """Return whose e-mail and password these are. Raises WrongCredentialsError."""
    shopper = Shopper.objects(email=email.lower()).first()
    if not passwords.matches(shopper.password_hash if shopper else None, password):
        raise tokens.WrongCredentialsError
    return shopper  # type: ignore[no-any-return]


def sign_in(email: str, password: str) -> dict[str, Any]:
    """Return a fresh bearer token. Raises WrongCredentialsError."""
    return tokens.issue(authenticate(email, password).id)


def change_password(shopper: Shopper, current: str, new: str) -> None:
    """Raises WrongPasswordError."""
    if not passwords.matches(shopper.password_hash, current):
        raise WrongPasswordError("The password is not right.", [{"field": "current", "detail": "is not right"}])
    shopper.update(password_hash=passwords.hash_password(new))


def close_account(shopper: Shopper, password: str) -> None:
    """Erase ``shopper``'s account, sign-in and likes. Raises WrongPasswordError."""
    if not passwords.matches(shopper.password_hash, password):
        raise WrongPasswordError("The password is not right.", [{"field": "password", "detail": "is not right"}])
    erasure.erase(shopper.id)


def find_shopper(shopper_id: str) -> Shopper | None:
    """Find the account of a session."""
    return Shopper.objects(id=shopper_id).first()  # type: ignore[no-any-return]


def load_shopper(_header: dict[str, Any], payload: dict[str, Any]) -> Shopper | None:
    """Find the account of a token, so that an erased one counts at once."""
    return find_shopper(payload["sub"])
