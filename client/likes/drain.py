"""L2: forward everything pending to Admin, some hundred likes per call, one drain at a time."""

import time
from datetime import timedelta

import structlog

from client.admin_gateway import AdminGateway, AdminUnavailableError
from client.likes import breaker, settle
from client.likes.documents import Like
from client.likes.leases import lease
from tasks.messages import LikeChanged

log = structlog.get_logger(__name__)

BATCH = 500  # Admin's limit per call
LONGEST = 20.0  # seconds per task: well within its time limit; the sweep's next one goes on
LEASE, HOLD = "forward likes", timedelta(seconds=15)  # little longer than a call's timeouts


class RetryLaterError(Exception):
    """Admin did not take the likes; ``delay`` is the time to wait, in seconds."""

    def __init__(self, reason: str, delay: float) -> None:
        super().__init__(reason)
        self.delay = delay


def drain(gateway: AdminGateway) -> int:
    """Forward pending likes; return how many were settled. Returns at once while another drain is at it or
    the breaker is open. Raises RetryLaterError when Admin is not available.
    """
    settled, deadline = 0, time.monotonic() + LONGEST
    # Looked at again after the lease's end: whoever was turned away meanwhile left its like to us.
    while time.monotonic() < deadline and breaker.may_call() and _pending(1):
        with lease(LEASE, HOLD) as mine:
            if not mine:
                break
            if batch := _pending(BATCH):
                settled += _forward(gateway, batch)
    return settled


def _pending(limit: int) -> list[LikeChanged]:
    found = Like._get_collection().find({"pending": True}, {"product": 1, "user": 1, "rev": 1, "liked": 1})
    return [LikeChanged(d["product"], d["user"], d["rev"], d["liked"]) for d in found.limit(limit)]


def _forward(gateway: AdminGateway, batch: list[LikeChanged]) -> int:
    try:
        outcomes = gateway.send_likes(batch)
    except AdminUnavailableError as error:
        delay = breaker.failed(error.retry_after)
        log.warning("likes wait", likes=len(batch), seconds=round(delay, 1), reason=str(error))
        raise RetryLaterError(str(error), delay) from error
    breaker.succeeded()
    settle.settle(batch, outcomes)
    log.info("likes forwarded", likes=len(batch))
    return len(batch)
