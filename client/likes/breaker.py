"""The breaker before Admin: after a failure one probe at a time, later and later. Shared by all workers."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from client.store import database

FIRST_DELAY = 1.0  # seconds
LONGEST_DELAY = 60.0  # a probe per minute costs nothing, and a day's outage is over a minute after its end
LONGEST_ASKED = 600.0  # Retry-After is honoured up to here
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
    # Further away than any delay: a clock was wrong when it was written.
    return not timedelta() < wait <= timedelta(seconds=LONGEST_ASKED)


def failed(retry_after: float | None, reason: str = "") -> float:
    """Note a failure; return the seconds to wait: exponential with jitter, never less than Admin asked."""
    before = state() or {"failures": 0}
    ceiling = min(FIRST_DELAY * 2 ** min(before["failures"], 20), LONGEST_DELAY)
    delay = max(random.uniform(ceiling / 2, ceiling), min(retry_after or 0.0, LONGEST_ASKED))
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
    """Close the breaker. Costs a read, and a write only where it was open: this is on every batch's path."""
    if state() is not None:
        database()["breakers"].delete_one({"_id": _ID})
