"""Leases: who may count or forward the next batch. Only speed depends on them: both steps are idempotent."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from client.store import database

_LOOK_AGAIN = 0.02  # seconds


@contextmanager
def patient_lease(name: str, hold: timedelta, patience: float) -> Iterator[bool]:
    """Like ``lease``, but try again for ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while True:
        with lease(name, hold) as mine:
            if mine or time.monotonic() >= deadline:
                yield mine
                return
        time.sleep(_LOOK_AGAIN)


@contextmanager
def lease(name: str, hold: timedelta) -> Iterator[bool]:
    """Yield whether this process got the lease ``name``; gives it back at the end.

    A holder that crashed is outwaited: ``hold`` should be little longer than one batch takes.
    """
    owner, now = uuid.uuid4().hex, datetime.now(UTC)
    leases = database()["leases"]
    free = {"_id": name, "$or": [{"until": {"$lt": now}}, {"until": {"$gt": now + 2 * hold}}]}
    try:
        leases.update_one(free, {"$set": {"owner": owner, "until": now + hold}}, upsert=True)
    except DuplicateKeyError:
        yield False
        return
    try:
        yield True
    finally:
        leases.delete_one({"_id": name, "owner": owner})
