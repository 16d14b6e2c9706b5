"""``Idempotency-Key``: a repeated create or batch returns the first answer and changes nothing.

The key is claimed in a transaction of its own; the answer is stored in the transaction that changes the products. So a
process that dies leaves changes and answer, or neither and a claim that expires.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

from sqlalchemy import CursorResult, String, Text, delete, select, tuple_, update
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import Moment, retry_deadlocks, upsert, utc_now
from admin.db.extensions import Model, db
from web.http.problems import ProblemError

CLAIMED_FOR = timedelta(seconds=60)  # longer than any request may take
RETENTION = timedelta(hours=24)
PURGE_CHUNK = 1_000


class IdempotencyKey(Model):
    """A key and its answer, which is null while the first request runs."""

    __tablename__ = "idempotency_keys"

    author: Mapped[str] = mapped_column(String(254), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    claim: Mapped[str] = mapped_column(String(32))
    claimed_at: Mapped[datetime] = mapped_column(Moment, index=True)
    answer: Mapped[str | None] = mapped_column(Text().with_variant(mysql.MEDIUMTEXT, "mysql", "mariadb"))  # of a batch


class KeyInFlightError(ProblemError):
    status = HTTPStatus.CONFLICT


class KeyReusedError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Claim:
    """The right to answer requests with a key; ``answer`` is the stored answer, None for the first request."""

    def __init__(self, author: str, key: str, answer: Any = None) -> None:
        self._id, self._mine, self.answer = (author, key), uuid.uuid4().hex, answer

    def store(self, answer: Any) -> None:
        """Store the answer. The caller commits. Raises KeyInFlightError where the claim expired meanwhile."""
        stored = update(IdempotencyKey).where(*self._still_mine()).values(answer=json.dumps(answer))
        if not cast(CursorResult[Any], db.session.execute(stored)).rowcount:
            raise _in_flight()

    @retry_deadlocks
    def release(self) -> None:
        """Give the claim up, so that the key can be used again: nothing was created."""
        db.session.rollback()
        db.session.execute(delete(IdempotencyKey).where(*self._still_mine(), IdempotencyKey.answer.is_(None)))
        db.session.commit()

    @retry_deadlocks
    def acquire(self, fingerprint: str) -> None:
        """Claim the key, or read its stored answer. Raises KeyInFlightError, KeyReusedError."""
        now = db.session.execute(select(utc_now())).scalar_one()
        row: dict[str, Any] = {"author": self._id[0], "key": self._id[1], "fingerprint": fingerprint}
        row |= {"claim": self._mine, "claimed_at": now, "answer": None}
        locked = self._locked_row()
        if locked is None:
            db.session.execute(upsert(IdempotencyKey, [row], lambda _new: {}))
            locked = self._locked_row()
        if locked is None:
            raise _in_flight()
        if locked.claimed_at < now - RETENTION or (locked.answer is None and locked.claimed_at < now - CLAIMED_FOR):
            locked.fingerprint, locked.claim, locked.claimed_at, locked.answer = fingerprint, self._mine, now, None
        mine, answer, made_from = locked.claim == self._mine, locked.answer, locked.fingerprint
        db.session.commit()
        if made_from != fingerprint:
            raise KeyReusedError("This Idempotency-Key was used with another body. Use a new key.")
        if not mine and answer is None:
            raise _in_flight()
        self.answer = answer and json.loads(answer)

    def _locked_row(self) -> IdempotencyKey | None:
        query = select(IdempotencyKey).filter_by(author=self._id[0], key=self._id[1]).with_for_update()
        return db.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()

    def _still_mine(self) -> tuple[Any, ...]:
        found = tuple_(IdempotencyKey.author, IdempotencyKey.key) == self._id
        return found, IdempotencyKey.claim == self._mine


@contextmanager
def claim(author: str, key: str | None, content: Any) -> Iterator[Claim | None]:
    """Yield the claim on ``key``, None without a key; release it where the block fails.

    Raises KeyInFlightError, KeyReusedError.
    """
    if key is None:
        yield None
        return
    found = Claim(author, key)
    found.acquire(hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest())
    try:
        yield found
    except BaseException:
        found.release()
        raise


@retry_deadlocks
def purge() -> int:
    """Delete a chunk of keys older than RETENTION; return their number. Commits."""
    now = db.session.execute(select(utc_now())).scalar_one()
    old = select(IdempotencyKey.author, IdempotencyKey.key).where(IdempotencyKey.claimed_at < now - RETENTION)
    found = [tuple(row) for row in db.session.execute(old.order_by(IdempotencyKey.claimed_at).limit(PURGE_CHUNK))]
    if found:
        db.session.execute(delete(IdempotencyKey).where(tuple_(IdempotencyKey.author, IdempotencyKey.key).in_(found)))
    db.session.commit()
    return len(found)


def _in_flight() -> KeyInFlightError:
    return KeyInFlightError(
        "A request with this Idempotency-Key is still running. Retry in a second.", headers={"Retry-After": "1"}
    )
