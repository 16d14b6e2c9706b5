"""The state of forwarding: how many likes are pending, since when and why."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from client.likes import breaker, parked, recovery
from client.likes.documents import Like
from client.store import database


@dataclass(frozen=True, slots=True)
class LikesStatus:
    """``oldest_pending_seconds`` is None where nothing is pending; ``parked`` counts by reason.

    ``breaker`` is ``closed`` while Admin answers, ``open`` until ``next_probe_at``, ``probing`` from then on.
    """

    pending: int
    oldest_pending_seconds: float | None
    uncounted: int
    parked: dict[str, int]
    breaker: str
    failing_since: datetime | None
    failures: int
    next_probe_at: datetime | None
    last_failure: str
    last_forwarded_at: datetime | None
    resending_for_epoch: int | None


def status() -> LikesStatus:
    """Read the state from the store, without calling Admin. Raises pymongo's errors."""
    likes = Like._get_collection()
    failing = breaker.state() or {}
    forwarded = database()["sync_generations"].find_one({"_id": recovery.PROGRESS_ID}) or {}
    unfinished = recovery.progress()
    return LikesStatus(
        pending=likes.count_documents({"pending": True}),
        oldest_pending_seconds=_oldest(),
        uncounted=likes.count_documents({"uncounted": True}),
        parked=parked.reasons(),
        breaker=("probing" if breaker.may_call() else "open") if failing else "closed",
        failing_since=failing.get("since"),
        failures=failing.get("failures", 0),
        next_probe_at=failing.get("not_before"),
        last_failure=failing.get("reason", ""),
        last_forwarded_at=forwarded.get("forwarded_at"),
        resending_for_epoch=unfinished["epoch"] if unfinished else None,
    )


def _oldest() -> float | None:
    first: Any = Like._get_collection().find_one({"pending": True}, {"since": 1, "at": 1}, sort=[("since", 1)])
    if first is None:
        return None
    since: datetime = first.get("since") or first["at"]
    return max((datetime.now(UTC) - since).total_seconds(), 0.0)
