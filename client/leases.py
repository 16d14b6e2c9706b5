"""Leases, so that one process at a time counts or forwards likes. Both steps are idempotent; leases only save work."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from client.store import database

_RETRY_SECONDS = 0.02


@contextmanager
def wait_for_lease(name: str, duration: timedelta, timeout: float) -> Iterator[bool]:
    """Like ``lease``, but retry for ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        with lease(name, duration) as mine:
            if mine or time.monotonic() >= deadline:
                yield mine
                return
        time.sleep(_RETRY_SECONDS)


@contextmanager
def lease(name: str, duration: timedelta) -> Iterator[bool]:
    """Yield whether this process acquired the lease ``name``; release it at the end.

    The lease of a crashed process expires after ``duration``, which should be slightly longer than one batch takes.
    """
    owner, now = uuid.uuid4().hex, datetime.now(UTC)
    leases = database()["leases"]
    free = {"_id": name, "$or": [{"until": {"$lt": now}}, {"until": {"$gt": now + 2 * duration}}]}
    try:
        leases.update_one(free, {"$set": {"owner": owner, "until": now + duration}}, upsert=True)
    except DuplicateKeyError:
        yield False
        return
    try:
        yield True
    finally:
        leases.delete_one({"_id": name, "owner": owner})
