"""Sign-ins: one row for each browser session and each pair of tokens. Deleting the row ends the sign-in."""

import secrets
from datetime import timedelta

from sqlalchemy import bindparam, delete, select, update

from admin.accounts import audit
from admin.accounts.identity import Actor
from admin.accounts.models import SignIn, Staff
from admin.db.engine import end_read, retry_deadlocks, utc_now
from admin.db.extensions import db
from web.security.tokens import WrongCredentialsError

PURGE_CHUNK = 1_000


def new_id() -> str:
    """Return a random id that cannot be guessed."""
    return secrets.token_urlsafe(32)


def begin(staff: Staff, id_: str, lifetime: timedelta, refresh_id: str | None = None) -> Actor:
    """Add a sign-in of ``staff``. ``refresh_id`` is that of its refresh token, if it has one. The caller commits.

    Raises WrongCredentialsError when the password was changed or the account disabled since ``staff`` was read.
    """
    usable = select(Staff.role).where(Staff.id == staff.id, Staff.disabled_at.is_(None))
    usable = usable.where(Staff.password_hash == staff.password_hash).with_for_update()
    role = db.session.execute(usable).scalar_one_or_none()
    if role is None:
        db.session.rollback()
        raise WrongCredentialsError
    now = db.session.execute(select(utc_now())).scalar_one()
    row = SignIn(id=id_, staff_id=staff.id, refresh_id=refresh_id, began_at=now, expires_at=now + lifetime)
    db.session.add(row)
    audit.record("signed_in", staff.email, detail="API" if refresh_id else "console")
    return Actor(staff.email, role, staff.id, id_)


# Built once and without entities: every request of the API runs it.
_FIND = (
    select(Staff.email, Staff.role, Staff.id, SignIn.id)
    .join(SignIn, SignIn.staff_id == Staff.id)
    .where(SignIn.id == bindparam("id"), SignIn.expires_at > utc_now(), Staff.disabled_at.is_(None))
)


def find(id_: str) -> Actor | None:
    """Return the actor of a sign-in with the current role; None when it has ended."""
    found = db.session.connection().execute(_FIND, {"id": id_}).one_or_none()
    end_read()
    return Actor(*found) if found else None


@retry_deadlocks
def rotate(id_: str, old: str, new: str, by: str) -> bool:
    """Replace the refresh token ``old`` by ``new``. A second use of ``old`` means theft, and ends the sign-in."""
    exchange = update(SignIn).where(SignIn.id == id_, SignIn.refresh_id == old).values(refresh_id=new)
    rotated: bool = db.session.execute(exchange).rowcount == 1  # type: ignore[attr-defined]
    if not rotated:
        db.session.execute(delete(SignIn).where(SignIn.id == id_))
        audit.record("refresh_token_reused", by)
    db.session.commit()
    return rotated


@retry_deadlocks
def end(actor: Actor) -> None:
    """End the sign-in of ``actor``. Idempotent. Commits."""
    db.session.execute(delete(SignIn).where(SignIn.id == actor.sign_in))
    audit.record("signed_out", actor.name)
    db.session.commit()


@retry_deadlocks
def purge() -> int:
    """Delete one chunk of expired sign-ins; return how many. Commits."""
    expired = select(SignIn.id).where(SignIn.expires_at < utc_now()).limit(PURGE_CHUNK)
    ids = list(db.session.execute(expired).scalars())
    if ids:
        db.session.execute(delete(SignIn).where(SignIn.id.in_(ids)))
    db.session.commit()
    return len(ids)


def end_all(staff_id: int) -> None:
    """End every sign-in of an account, everywhere. The caller commits."""
    db.session.execute(delete(SignIn).where(SignIn.staff_id == staff_id))
