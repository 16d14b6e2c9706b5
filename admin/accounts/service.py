"""Staff accounts: made by the CLI, signed in over the API."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

from flask_jwt_extended import current_user, verify_jwt_in_request
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from admin.accounts.models import EDITOR, OWNER, Staff
from admin.database import utc_now
from admin.extensions import db
from web import passwords, tokens
from web.problems import ProblemError

P = ParamSpec("P")
R = TypeVar("R")


class AccountExistsError(Exception):
    """There is an account with this e-mail; it was left as it is."""


class ForbiddenError(ProblemError):
    status = HTTPStatus.FORBIDDEN


def add_staff(email: str, password: str, role: str) -> Staff:
    """Create an account. Raises AccountExistsError."""
    staff = Staff(email=email.lower(), password_hash=passwords.hash_password(password), role=role, created_at=utc_now())
    db.session.add(staff)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise AccountExistsError(f"{email} already exists; its password was not changed") from None
    return staff


def sign_in(email: str, password: str) -> dict[str, Any]:
    """Return a fresh bearer token. Raises WrongCredentialsError."""
    staff = db.session.execute(select(Staff).filter_by(email=email.lower())).scalar_one_or_none()
    db.session.rollback()  # hashing takes long; hold no transaction meanwhile
    if not passwords.matches(staff.password_hash if staff else None, password) or staff is None:
        raise tokens.WrongCredentialsError
    return tokens.issue(str(staff.id), role=staff.role)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose token a request carries."""

    id: int
    email: str
    role: str


_SIGNED_IN = select(Staff.id, Staff.email, Staff.role).where(Staff.id == bindparam("id"))


def load_staff(_header: dict[str, Any], payload: dict[str, Any]) -> SignedIn | None:
    """Find the account of a token, so that a removed one or a changed role counts at once."""
    staff = db.session.connection().execute(_SIGNED_IN, {"id": int(payload["sub"])}).one_or_none()
    db.session.rollback()  # a use case begins its own transaction
    return SignedIn(*staff) if staff else None


def editors_only(view: Callable[P, R]) -> Callable[P, R]:
    """Refuse who is not signed in or may only look."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        verify_jwt_in_request()
        if current_user.role not in {EDITOR, OWNER}:
            raise ForbiddenError("Your role may look but not change; ask an owner for the editor role.")
        return view(*args, **kwargs)

    return wrapper


def author() -> str:
    """Return who is signed in, as the change log names them."""
    return str(current_user.email)
