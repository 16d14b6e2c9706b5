"""The breaker before Admin: after a failure one probe at a time, later and later. Shared by all workers."""

import random
from datetime import UTC, datetime, timedelta

from client.extensions import database

FIRST_DELAY = 1.0  # seconds
LONGEST_DELAY = 300.0
_ID = "admin"


def may_call() -> bool:
    """Return whether Admin may be called now."""
    state = database()["breakers"].find_one({"_id": _ID})
    return state is None or state["not_before"] <= datetime.now(UTC)


def failed(retry_after: float | None) -> float:
    """Note a failure; return the seconds to wait: exponential with full jitter, never less than Admin asked."""
    state = database()["breakers"].find_one({"_id": _ID}) or {"failures": 0}
    ceiling = min(FIRST_DELAY * 2 ** min(state["failures"], 20), LONGEST_DELAY)
    delay = max(random.uniform(ceiling / 2, ceiling), retry_after or 0.0)
    now = datetime.now(UTC)
    database()["breakers"].replace_one(
        {"_id": _ID},
        {
            "failures": state["failures"] + 1,
            "not_before": now + timedelta(seconds=delay),
            "since": state.get("since", now),
        },
        upsert=True,
    )
    return delay


def succeeded() -> None:
    """Close the breaker."""
    database()["breakers"].delete_one({"_id": _ID})
