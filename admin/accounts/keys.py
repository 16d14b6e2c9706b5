"""Named API keys for programs: shown once, stored as a digest, sent as a bearer token."""

import hashlib
import secrets
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from admin.accounts import audit
from admin.accounts.identity import Actor
from admin.accounts.models import ApiKey
from admin.db.engine import end_read, utc_now
from admin.db.extensions import db
from web.http.problems import ProblemError

log = structlog.get_logger(__name__)

PREFIX = "lsk_"  # people and secret scanners recognise a key by it
_RECORD_USE_EVERY = timedelta(minutes=1)


class KeyExistsError(ProblemError):
    status = HTTPStatus.CONFLICT


class NoSuchKeyError(ProblemError):
    status = HTTPStatus.NOT_FOUND


def make(name: str, role: str, days: int | None, by: str) -> tuple[ApiKey, str]:
    """Create a key that expires after ``days`` (None: never); return it with its secret, which is not stored.

    Raises KeyExistsError. Commits.
    """
    prefix = PREFIX + secrets.token_hex(4)
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    now = db.session.execute(select(utc_now())).scalar_one()
    expires_at = now + timedelta(days=days) if days else None
    key = ApiKey(name=name, prefix=prefix, digest=_digest(secret), role=role, created_by=by)
    key.created_at, key.expires_at = now, expires_at
    db.session.add(key)
    audit.record("api_key_made", by, f"key:{name}", role)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise KeyExistsError(f"A key named {name} exists already.", [{"field": "name", "detail": "is taken"}]) from None
    return key, secret


def all_keys() -> list[ApiKey]:
    """Return every key, by name."""
    return list(db.session.execute(select(ApiKey).order_by(ApiKey.name)).scalars())


def revoke(key_id: int, by: str) -> None:
    """Delete a key, so that it stops working. Raises NoSuchKeyError. Commits."""
    key = db.session.get(ApiKey, key_id)
    if key is None:
        raise NoSuchKeyError("This key does not exist.")
    db.session.delete(key)
    audit.record("api_key_revoked", by, f"key:{key.name}")
    db.session.commit()


def revoke_named(name: str, by: str) -> None:
    """Delete the key called ``name``. Raises NoSuchKeyError. Commits."""
    key_id = db.session.execute(select(ApiKey.id).where(ApiKey.name == name)).scalar_one_or_none()
    revoke(key_id or 0, by)


# Built once and without entities: every request with a key runs it.
_FIND = select(ApiKey.id, ApiKey.name, ApiKey.role, ApiKey.last_used_at, utc_now()).where(
    ApiKey.digest == bindparam("digest"), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utc_now())
)


def find(secret: str) -> Actor | None:
    """Return the actor of a key, None when it is unknown or expired."""
    found = db.session.connection().execute(_FIND, {"digest": _digest(secret)}).one_or_none()
    end_read()
    if found is None:
        return None
    key_id, name, role, last_used_at, now = found
    if last_used_at is None or last_used_at < now - _RECORD_USE_EVERY:
        _record_use(key_id, now)
    return Actor(f"key:{name}", role)


def _record_use(key_id: int, now: datetime) -> None:
    """Record the use of a key, at most once a minute. A failure does not fail the request."""
    try:
        db.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now))
        db.session.commit()
    except OperationalError as error:
        db.session.rollback()
        log.warning("use of a key not recorded", reason=str(error.orig))


def _digest(secret: str) -> str:
    """Return the SHA-256. A fast digest is safe because the secret has 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
