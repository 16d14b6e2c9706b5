"""L2: forward everything pending to Admin, some hundred likes per call, one drain at a time."""

import time
from datetime import UTC, datetime, timedelta

import structlog

from client.admin_gateway import AdminGateway, AdminUnavailableError, BatchTooLargeError
from client.leases import lease
from client.likes import apply_outcomes, breaker, recovery
from client.likes.documents import Like, read
from client.store import database
from contract import causation
from contract.messages import LikeChanged
from contract.service_calls import MAX_LIKES

log = structlog.get_logger(__name__)

LONGEST = 20.0  # seconds per task: well within its time limit; the sweep's next one goes on
LEASE, HOLD = "forward likes", timedelta(seconds=15)  # little longer than a call's timeouts
# Between two calls of a burst, so that the second carries what came meanwhile. Longer and longer while it lasts.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # seconds


class RetryLaterError(Exception):
    """Admin did not take the likes; ``delay`` is the time to wait, in seconds."""

    def __init__(self, reason: str, delay: float) -> None:
        super().__init__(reason)
        self.delay = delay


def drain(gateway: AdminGateway) -> int:
    """Forward pending likes; return how many were settled. Returns at once while another drain is at it or
    the breaker is open. Raises RetryLaterError when Admin is not available.
    """
    settled, size, pause, deadline = 0, MAX_LIKES, FIRST_PAUSE, time.monotonic() + LONGEST
    # Looked at again after the lease's end: whoever was turned away meanwhile left its like to us.
    while time.monotonic() < deadline and breaker.may_call() and (_pending(1) or recovery.next_chunk()):
        with lease(LEASE, HOLD) as mine:
            if not mine:
                break
            batch = _pending(size)
            taken = _forward(gateway, batch) if batch else 0
            if 0 < taken < len(batch):
                size = taken  # all that Admin takes at once
            elif 0 < taken < size and _pending(1):
                time.sleep(pause)  # still holding the lease: nobody else calls for each like of a burst
                pause = min(2 * pause, LONGEST_PAUSE)
            settled += taken
    if settled:
        _note_progress()
    return settled


def _pending(limit: int) -> list[LikeChanged]:
    fields = dict.fromkeys(("product", "user", "revision", "liked", "request_id"), 1)
    found = Like._get_collection().find({"pending": True}, fields).limit(limit)
    return [like for document in list(found) if (like := read(document))]


def _forward(gateway: AdminGateway, batch: list[LikeChanged]) -> int:
    """Return how many of ``batch`` were settled: all, or as many from its start as Admin takes at once."""
    causation.log_items(log, "likes forwarded", batch)
    try:
        outcomes = gateway.send_likes(batch)
    except AdminUnavailableError as error:
        if isinstance(error, BatchTooLargeError) and len(batch) > 1:
            return _forward(gateway, batch[: len(batch) // 2])
        delay = breaker.failed(error.retry_after, str(error))
        log.warning("likes wait", likes=len(batch), seconds=round(delay, 1), reason=str(error))
        raise RetryLaterError(str(error), delay) from error
    breaker.succeeded()
    apply_outcomes.settle(batch, outcomes)
    causation.log_items(log, "likes settled", batch)
    return len(batch)


def _note_progress() -> None:
    """For 'lockstep likes status': after the drain, so that no like waits for it."""
    progress = {"$set": {"forwarded_at": datetime.now(UTC)}}
    database()["sync_generations"].update_one({"_id": recovery.MARK}, progress, upsert=True)
