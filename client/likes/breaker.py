"""The circuit breaker for calls to Admin, shared by all workers: after a failure, single probes with backoff."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from client.store import database

FIRST_DELAY = 1.0  # seconds
MAX_DELAY = 60.0  # seconds: the end of an outage is noticed within a minute
MAX_RETRY_AFTER = 600.0  # seconds; a longer Retry-After is cut to this
_ID = "admin"


def state() -> dict[str, Any] | None:
    """Return ``failures``, ``since``, ``not_before`` and ``reason`` while Admin fails; None while it does not."""
    found: dict[str, Any] | None = database()["breakers"].find_one({"_id": _ID})
    return found


def may_call() -> bool:
    """Return whether Admin may be called now."""
    failing = state()
    if failing is None:
        return True
    wait: timedelta = failing["not_before"] - datetime.now(UTC)
    # A time further away than any delay was written by a wrong clock.
    return not timedelta() < wait <= timedelta(seconds=MAX_RETRY_AFTER)


def failed(retry_after: float | None, reason: str = "") -> float:
    """Record a failure; return the seconds to wait: exponential with jitter, at least Admin's Retry-After."""
    before = state() or {"failures": 0}
    ceiling = min(FIRST_DELAY * 2 ** min(before["failures"], 20), MAX_DELAY)
    delay = max(random.uniform(ceiling / 2, ceiling), min(retry_after or 0.0, MAX_RETRY_AFTER))
    now = datetime.now(UTC)
    database()["breakers"].replace_one(
        {"_id": _ID},
        {
            "failures": before["failures"] + 1,
            "not_before": now + timedelta(seconds=delay),
            "since": before.get("since", now),
            "reason": reason[:500],
        },
        upsert=True,
    )
    return delay


def succeeded() -> None:
    """Close the breaker: a read for each batch, and a write only where it was open."""
    if state() is not None:
        database()["breakers"].delete_one({"_id": _ID})
