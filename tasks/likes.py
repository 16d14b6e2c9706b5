"""L2: the task that counts likes (L3) and forwards them to Admin, and comes again while Admin is away."""

import math

from celery import Task, shared_task
from pymongo.errors import ConnectionFailure

from client import worker
from client.likes import count, drain
from tasks import names


@shared_task(name=names.FORWARD_LIKES, bind=True, max_retries=None)
def forward_likes(self: Task) -> None:
    """Take everything pending (bounded). Any number may be queued; one works at a time."""
    gateway = worker.gateway()
    try:
        count.count()
        drain.drain(gateway)
    except drain.RetryLaterError as outage:
        # whole seconds, at least one: a fractional countdown fails on quorum queues
        raise self.retry(countdown=math.ceil(outage.delay), exc=outage) from outage
    except ConnectionFailure:
        return  # the store is down; the sweep comes again (L7)
