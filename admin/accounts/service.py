"""Create staff accounts, check their passwords, change them."""

from http import HTTPStatus

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from admin.accounts import audit, sign_ins
from admin.accounts.models import Staff
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from web.http.problems import ProblemError
from web.security import passwords, tokens

CLI = "command line"  # the actor of its commands in the audit trail


class AccountExistsError(ProblemError):
    """An account with this e-mail exists; it was not changed."""

    status = HTTPStatus.CONFLICT


class WrongPasswordError(ProblemError):
    """The current password is wrong."""

    def __init__(self) -> None:
        super().__init__("The password is wrong.", [{"field": "current", "detail": "is wrong"}])


def add_staff(email: str, password: str, role: str, by: str = CLI) -> Staff:
    """Create an account. Raises AccountExistsError and WeakPasswordError. Commits."""
    passwords.check(password, email)
    password_hash = passwords.hash_password(password)  # slow: no transaction is open
    now = db.session.execute(select(utc_now())).scalar_one()  # an expression would be read back
    staff = Staff(email=email.lower(), password_hash=password_hash, role=role, created_at=now)
    db.session.add(staff)
    audit.record("staff_added", by, staff.email, role)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        taken = [{"field": "email", "detail": "is taken"}]
        raise AccountExistsError(f"An account for {email} already exists; it was not changed.", taken) from None
    return staff


def authenticate(email: str, password: str) -> Staff:
    """Return the account of an e-mail and its password. Raises WrongCredentialsError."""
    staff = _detached(select(Staff).filter_by(email=email.lower()))
    usable = staff if staff is not None and staff.disabled_at is None else None
    if not passwords.matches(usable.password_hash if usable else None, password) or usable is None:
        audit.record("sign_in_failed", email.lower())
        db.session.commit()
        raise tokens.WrongCredentialsError
    return usable


def _detached(query: Select[tuple[Staff]]) -> Staff | None:
    """Return an account and end the transaction, so that none stays open while a password is hashed."""
    staff = db.session.execute(query).scalar_one_or_none()
    db.session.expunge_all()
    db.session.rollback()
    return staff


def change_password(staff_id: int, current: str, new: str) -> Staff:
    """Change one's own password; every sign-in ends. Raises WrongPasswordError and WeakPasswordError. Commits."""
    staff = _detached(select(Staff).filter_by(id=staff_id))
    if staff is None or not passwords.matches(staff.password_hash, current):
        raise WrongPasswordError
    passwords.check(new, staff.email)
    return _set_password(staff_id, passwords.hash_password(new))


@retry_deadlocks
def _set_password(staff_id: int, password_hash: str) -> Staff:
    staff = db.session.get_one(Staff, staff_id)
    staff.password_hash = password_hash
    sign_ins.end_all(staff_id)
    audit.record("password_changed", staff.email, staff.email)
    db.session.commit()
    return staff


@retry_deadlocks
def sign_out_everywhere(staff_id: int, by: str) -> None:
    """End every session and every token of an account. Commits."""
    sign_ins.end_all(staff_id)
    audit.record("signed_out_everywhere", by)
    db.session.commit()
