"""Staff accounts: made, signed in to, and their passwords changed."""

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from admin.accounts import sign_ins
from admin.accounts.identity import author as author
from admin.accounts.models import EDITOR, Staff
from admin.accounts.tokens import api_for
from admin.database import retry_deadlocks, utc_now
from admin.extensions import db
from web import passwords, tokens
from web.problems import ProblemError

editors_only = api_for(EDITOR)


class AccountExistsError(Exception):
    """There is an account with this e-mail; it was left as it is."""


class WrongPasswordError(ProblemError):
    """Signed in, but not who knows the password."""

    def __init__(self) -> None:
        super().__init__("The password is not right.", [{"field": "current", "detail": "is not right"}])


def add_staff(email: str, password: str, role: str) -> Staff:
    """Create an account. Raises AccountExistsError and WeakPasswordError."""
    passwords.check(password, email)
    staff = Staff(email=email.lower(), password_hash=passwords.hash_password(password), role=role, created_at=utc_now())
    db.session.add(staff)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise AccountExistsError(f"{email} already exists; its password was not changed") from None
    return staff


def authenticate(email: str, password: str) -> Staff:
    """Return whose e-mail and password these are. Raises WrongCredentialsError."""
    staff = _seen(select(Staff).filter_by(email=email.lower()))
    usable = staff if staff is not None and staff.disabled_at is None else None
    if not passwords.matches(usable.password_hash if usable else None, password) or usable is None:
        raise tokens.WrongCredentialsError
    return usable


def _seen(query: Select[tuple[Staff]]) -> Staff | None:
    """Return an account as it is now, apart from any transaction: hashing takes long, and nobody waits for it."""
    staff = db.session.execute(query).scalar_one_or_none()
    db.session.expunge_all()
    db.session.rollback()
    return staff


def change_password(staff_id: int, current: str, new: str) -> Staff:
    """Change one's own password; every sign-in ends. Raises WrongPasswordError and WeakPasswordError. Commits."""
    staff = _seen(select(Staff).filter_by(id=staff_id))
    if staff is None or not passwords.matches(staff.password_hash, current):
        raise WrongPasswordError
    passwords.check(new, staff.email)
    return _set_password(staff_id, passwords.hash_password(new))


@retry_deadlocks
def _set_password(staff_id: int, password_hash: str) -> Staff:
    staff = db.session.get_one(Staff, staff_id)
    staff.password_hash = password_hash
    sign_ins.end_all(staff_id)
    db.session.commit()
    return staff


@retry_deadlocks
def sign_out_everywhere(staff_id: int) -> None:
    """End every session and every token of an account. Commits."""
    sign_ins.end_all(staff_id)
    db.session.commit()
