"""Changes of staff accounts by owners and the command line. Every change ends the account's sign-ins."""

from http import HTTPStatus

from sqlalchemy import select

from admin.accounts import audit, sign_ins
from admin.accounts.models import OWNER, Staff
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from web.http.problems import ProblemError
from web.security import passwords


class NoSuchStaffError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class LastOwnerError(ProblemError):
    """The change would leave no owner, and only owners can create owners."""

    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__("This is the last owner. Create another owner first.")


def all_staff() -> list[Staff]:
    """Return every account, by e-mail."""
    return list(db.session.execute(select(Staff).order_by(Staff.email)).scalars())


def id_of(email: str) -> int:
    """Return the id of an account. Raises NoSuchStaffError."""
    found = db.session.execute(select(Staff.id).where(Staff.email == email.lower())).scalar_one_or_none()
    db.session.rollback()
    if found is None:
        raise NoSuchStaffError(f"There is no account for {email}.")
    return found


def get(staff_id: int) -> Staff:
    """Return an account. Raises NoSuchStaffError."""
    staff = db.session.get(Staff, staff_id)
    if staff is None:
        raise NoSuchStaffError("This account does not exist.")
    return staff


def change(
    staff_id: int, by: str, *, role: str | None = None, disabled: bool | None = None, password: str | None = None
) -> Staff:
    """Change the given fields, and end the account's sign-ins.

    Raises NoSuchStaffError, LastOwnerError and WeakPasswordError. Commits.
    """
    password_hash = None
    if password is not None:
        passwords.check(password, get(staff_id).email)
        db.session.rollback()  # hashing is slow: no transaction stays open
        password_hash = passwords.hash_password(password)
    return _change(staff_id, by, role, disabled, password_hash)


@retry_deadlocks
def _change(staff_id: int, by: str, role: str | None, disabled: bool | None, password_hash: str | None) -> Staff:
    staff = _locked(staff_id, losing_owner=bool(disabled) or role not in (None, OWNER))
    if role not in (None, staff.role):
        audit.record("role_changed", by, staff.email, f"{staff.role} to {role}")
        staff.role = role or staff.role
    if disabled not in (None, staff.disabled_at is not None):
        audit.record("staff_disabled" if disabled else "staff_enabled", by, staff.email)
        staff.disabled_at = db.session.execute(select(utc_now())).scalar_one() if disabled else None
    if password_hash:
        audit.record("password_reset", by, staff.email)
        staff.password_hash = password_hash
    sign_ins.end_all(staff_id)
    db.session.commit()
    return staff


@retry_deadlocks
def remove(staff_id: int, by: str) -> None:
    """Delete an account; its name stays in the histories.

    Raises NoSuchStaffError and LastOwnerError. Commits.
    """
    staff = _locked(staff_id, losing_owner=True)
    sign_ins.end_all(staff_id)
    db.session.delete(staff)
    audit.record("staff_removed", by, staff.email)
    db.session.commit()


def _locked(staff_id: int, losing_owner: bool = False) -> Staff:
    """Lock an account and return it. With ``losing_owner`` lock all owners first, so that two of them cannot remove
    each other at the same time.
    """
    owners = select(Staff.id).where(Staff.role == OWNER, Staff.disabled_at.is_(None)).order_by(Staff.id)
    ids = list(db.session.execute(owners.with_for_update()).scalars()) if losing_owner else []
    staff = db.session.get(Staff, staff_id, with_for_update=True)
    if staff is None:
        db.session.rollback()
        raise NoSuchStaffError("This account does not exist.")
    if ids == [staff_id]:
        db.session.rollback()
        raise LastOwnerError
    return staff
