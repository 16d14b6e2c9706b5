"""Leases: who may count or forward now. Expiry, not correctness, depends on clocks: both steps are idempotent."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from client.extensions import database

HOLD = timedelta(seconds=60)  # longer than a task may run: a crashed holder is outwaited


@contextmanager
def lease(name: str) -> Iterator[bool]:
    """Yield whether this process got the lease ``name``; gives it back at the end."""
    owner, now = uuid.uuid4().hex, datetime.now(UTC)
    leases = database()["leases"]
    free = {"_id": name, "$or": [{"until": {"$lt": now}}, {"until": {"$gt": now + 2 * HOLD}}]}
    try:
        leases.update_one(free, {"$set": {"owner": owner, "until": now + HOLD}}, upsert=True)
    except DuplicateKeyError:
        yield False
        return
    try:
        yield True
    finally:
        leases.delete_one({"_id": name, "owner": owner})
