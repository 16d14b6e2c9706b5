"""Forwards pending likes to Admin, up to MAX_LIKES per call, one drain at a time."""

import time
from datetime import UTC, datetime, timedelta

import structlog

from client.admin_gateway import AdminGateway, AdminUnavailableError, BatchTooLargeError
from client.leases import lease
from client.likes import apply_outcomes, breaker, recovery
from client.likes.documents import Like, like_id, read
from client.store import database
from contract import causation
from contract.messages import LikeChanged
from contract.service_calls import MAX_LIKES

log = structlog.get_logger(__name__)

MAX_SECONDS = 20.0  # per task, within its time limit; beat's next task continues
LEASE, LEASE_TIME = "forward likes", timedelta(seconds=15)  # slightly longer than a call's timeouts
FIRST_PAUSE, MAX_PAUSE = 0.1, 1.0  # seconds between two calls during a burst, to send fewer and larger batches


class RetryLaterError(Exception):
    """Admin did not answer as expected; retry after ``delay`` seconds."""

    def __init__(self, reason: str, delay: float) -> None:
        super().__init__(reason)
        self.delay = delay


def drain(gateway: AdminGateway) -> int:
    """Forward pending likes; return how many Admin answered. Returns at once while another drain runs or the breaker is
    open. Raises RetryLaterError when Admin is not available.
    """
    forwarded, size, pause, deadline = 0, MAX_LIKES, FIRST_PAUSE, time.monotonic() + MAX_SECONDS
    # Read again after releasing the lease: a drain that did not get it left its likes to this one.
    while time.monotonic() < deadline and breaker.may_call() and (_pending(1) or recovery.next_chunk()):
        with lease(LEASE, LEASE_TIME) as mine:
            if not mine:
                break
            batch = _pending(size)
            sent = _forward(gateway, batch) if batch else 0
            if 0 < sent < len(batch):
                size = sent  # the most that Admin accepts in one call
            elif 0 < sent < size and _pending(1):
                time.sleep(pause)  # under the lease, so that no other drain calls for each like of a burst
                pause = min(2 * pause, MAX_PAUSE)
            forwarded += sent
    if forwarded:
        _record_progress()
    return forwarded


def _pending(limit: int) -> list[LikeChanged]:
    fields = dict.fromkeys(("product", "user", "revision", "liked", "request_id"), 1)
    found = Like._get_collection().find({"pending": True}, fields).limit(limit)
    return [like for document in list(found) if (like := read(document))]


def _forward(gateway: AdminGateway, batch: list[LikeChanged]) -> int:
    """Forward ``batch``, or as much from its start as Admin accepts in one call; return how many likes."""
    causation.log_items(log, "likes forwarded", batch)
    epoch = recovery.epoch()
    try:
        outcomes = gateway.send_likes(batch)
    except AdminUnavailableError as error:
        if isinstance(error, BatchTooLargeError) and len(batch) > 1:
            return _forward(gateway, batch[: len(batch) // 2])
        delay = breaker.failed(error.retry_after, str(error))
        log.warning("likes not forwarded", likes=len(batch), seconds=round(delay, 1), reason=str(error))
        raise RetryLaterError(str(error), delay) from error
    breaker.succeeded()
    apply_outcomes.apply(batch, outcomes)
    if recovery.epoch() != epoch:  # Admin was restored meanwhile, and may have lost what it answered
        recovery.send_again(like_id(like.product, like.user) for like in batch)
    causation.log_items(log, "likes answered", batch)
    return len(batch)


def _record_progress() -> None:
    """Record the time for 'lockstep likes status', after the drain, so that no like waits for it."""
    progress = {"$set": {"forwarded_at": datetime.now(UTC)}}
    database()["sync_generations"].update_one({"_id": recovery.PROGRESS_ID}, progress, upsert=True)
