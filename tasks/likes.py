"""L2 and L7: the tasks that forward likes to Admin, come again while Admin is away, and sweep up what was left."""

import math
from typing import Any

import structlog
from celery import Task, shared_task
from celery.exceptions import Reject, SoftTimeLimitExceeded

from client import heartbeat, worker
from client.accounts import erasure
from client.admin_gateway import AdminGateway
from client.likes import count, drain, parked
from client.store import OUTAGES
from contract import names

log = structlog.get_logger(__name__)

LONGEST_COUNTDOWN = 60  # seconds; Valkey would deliver a longer one twice (celeryconfig). The breaker waits longer.


@shared_task(name=names.FORWARD_LIKES, bind=True, max_retries=None)
def forward_likes(self: Task) -> None:
    """Take everything pending (bounded). Any number may be queued; one works at a time."""
    gateway = worker.gateway()
    heartbeat.record(heartbeat.WORKER)
    try:
        _forward_and_sweep(gateway)
    except drain.RetryLaterError as outage:
        # whole seconds, at least one: a fractional countdown fails on quorum queues
        raise self.retry(countdown=min(math.ceil(outage.delay), LONGEST_COUNTDOWN), exc=outage) from outage
    except (*OUTAGES, SoftTimeLimitExceeded) as error:
        log.warning("likes wait for the next sweep", error=repr(error))  # L7


@shared_task(name=names.RETRY_LIKES, bind=True, max_retries=None)
def retry_likes(self: Task, after: Any = "") -> None:
    """Make every parked like pending again, a step per task; the next sweep forwards them."""
    if not isinstance(after, str):
        raise Reject("the id of a like must be text", requeue=False)
    worker.gateway()
    try:
        _, further = parked.retry(after)
    except OUTAGES as outage:
        raise self.retry(countdown=LONGEST_COUNTDOWN, exc=outage) from outage
    if further is not None:
        self.apply_async(args=(further,))


def _forward_and_sweep(gateway: AdminGateway) -> None:
    """Forward first: it is what shoppers and Admin wait for. What the web process counts or erases, it did already."""
    try:
        drain.drain(gateway)
    finally:
        erasure.resume()
        count.count()
