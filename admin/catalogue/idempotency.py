"""``Idempotency-Key``: a create that is sent again answers what the first one answered, and creates nothing.

The key is claimed in a transaction of its own; the answer is kept in the one that creates the product. So a process
that dies in between leaves either both or a claim that ends by itself.
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
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import Moment, retry_deadlocks, upsert, utc_now
from admin.db.extensions import Model, db
from web.http.problems import ProblemError

CLAIMED_FOR = timedelta(seconds=60)  # longer than any request may take
KEPT = timedelta(hours=24)
PURGE_CHUNK = 1_000


class IdempotencyKey(Model):
    """``answer`` is null while the first request is under way."""

    __tablename__ = "idempotency_keys"

    author: Mapped[str] = mapped_column(String(254), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    claim: Mapped[str] = mapped_column(String(32))
    claimed_at: Mapped[datetime] = mapped_column(Moment, index=True)
    answer: Mapped[str | None] = mapped_column(Text)


class KeyInFlightError(ProblemError):
    status = HTTPStatus.CONFLICT


class KeyReusedError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Claim:
    """The right to answer for a key; ``answer`` is what was answered before, None: nothing was."""

    def __init__(self, author: str, key: str, answer: Any = None) -> None:
        self._id, self._mine, self.answer = (author, key), uuid.uuid4().hex, answer

    def keep(self, answer: Any) -> None:
        """Remember the answer. The caller commits. Raises KeyInFlightError when the claim ended meanwhile."""
        kept = update(IdempotencyKey).where(*self._still_mine()).values(answer=json.dumps(answer))
        if not cast(CursorResult[Any], db.session.execute(kept)).rowcount:
            raise _in_flight()

    @retry_deadlocks
    def release(self) -> None:
        """Let the key be tried again: nothing was created."""
        db.session.rollback()
        db.session.execute(delete(IdempotencyKey).where(*self._still_mine(), IdempotencyKey.answer.is_(None)))
        db.session.commit()

    @retry_deadlocks
    def take(self, fingerprint: str) -> None:
        """Claim the key, or read the answer it had. Raises KeyInFlightError, KeyReusedError."""
        now = db.session.execute(select(utc_now())).scalar_one()
        row: dict[str, Any] = {"author": self._id[0], "key": self._id[1], "fingerprint": fingerprint}
        row |= {"claim": self._mine, "claimed_at": now, "answer": None}
        held = self._held()
        if held is None:
            db.session.execute(upsert(IdempotencyKey, [row], lambda _new: {}))
            held = self._held()
        if held is None:
            raise _in_flight()
        if held.claimed_at < now - KEPT or (held.answer is None and held.claimed_at < now - CLAIMED_FOR):
            held.fingerprint, held.claim, held.claimed_at, held.answer = fingerprint, self._mine, now, None
        mine, answer, made_from = held.claim == self._mine, held.answer, held.fingerprint
        db.session.commit()
        if made_from != fingerprint:
            raise KeyReusedError("This Idempotency-Key was used with another body; take a new one.")
        if not mine and answer is None:
            raise _in_flight()
        self.answer = answer and json.loads(answer)

    def _held(self) -> IdempotencyKey | None:
        query = select(IdempotencyKey).filter_by(author=self._id[0], key=self._id[1]).with_for_update()
        return db.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()

    def _still_mine(self) -> tuple[Any, ...]:
        found = tuple_(IdempotencyKey.author, IdempotencyKey.key) == self._id
        return found, IdempotencyKey.claim == self._mine


@contextmanager
def claim(author: str, key: str | None, content: Any) -> Iterator[Claim | None]:
    """Yield the claim on ``key``, None without one; given back when the block fails.

    Raises KeyInFlightError, KeyReusedError.
    """
    if key is None:
        yield None
        return
    found = Claim(author, key)
    found.take(hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest())
    try:
        yield found
    except BaseException:
        found.release()
        raise


@retry_deadlocks
def purge() -> int:
    """Forget keys beyond KEPT, one chunk; return how many. Commits."""
    now = db.session.execute(select(utc_now())).scalar_one()
    old = select(IdempotencyKey.author, IdempotencyKey.key).where(IdempotencyKey.claimed_at < now - KEPT)
    found = [tuple(row) for row in db.session.execute(old.order_by(IdempotencyKey.claimed_at).limit(PURGE_CHUNK))]
    if found:
        db.session.execute(delete(IdempotencyKey).where(tuple_(IdempotencyKey.author, IdempotencyKey.key).in_(found)))
    db.session.commit()
    return len(found)


def _in_flight() -> KeyInFlightError:
    return KeyInFlightError(
        "A request with this Idempotency-Key is under way; ask again in a moment.", headers={"Retry-After": "1"}
    )
