"""The tasks that forward likes to Admin, retry while Admin is down, and count likes that were left."""

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

MAX_COUNTDOWN = 60  # seconds; Valkey would deliver a longer one twice (celeryconfig). The breaker may wait longer.


@shared_task(name=names.FORWARD_LIKES, bind=True, max_retries=None)
def forward_likes(self: Task) -> None:
    """Forward pending likes, a bounded number. Any number of these tasks may be queued; one at a time works."""
    gateway = worker.gateway()
    heartbeat.record(heartbeat.WORKER)
    try:
        _forward_and_count(gateway)
    except drain.RetryLaterError as outage:
        # whole seconds, at least one: a fractional countdown fails on quorum queues
        raise self.retry(countdown=min(math.ceil(outage.delay), MAX_COUNTDOWN), exc=outage) from outage
    except (*OUTAGES, SoftTimeLimitExceeded) as error:
        log.warning("likes not forwarded; beat enqueues the task again", error=repr(error))


@shared_task(name=names.RETRY_LIKES, bind=True, max_retries=None)
def retry_likes(self: Task, after: Any = "") -> None:
    """Make every parked like pending again, a step per task; the next forward_likes sends them."""
    if not isinstance(after, str):
        raise Reject("the id of a like must be text", requeue=False)
    worker.gateway()
    try:
        _, further = parked.retry(after)
    except OUTAGES as outage:
        raise self.retry(countdown=MAX_COUNTDOWN, exc=outage) from outage
    if further is not None:
        self.apply_async(args=(further,))


def _forward_and_count(gateway: AdminGateway) -> None:
    """Forward first. Then resume erasures and count likes that the web process left."""
    try:
        drain.drain(gateway)
    finally:
        erasure.resume()
        count.count()
