"""The task that collects dead letters from the broker and removes old ones."""

import structlog
from celery import shared_task

from client import worker
from client.dead_letters import collect, service
from client.store import OUTAGES
from contract import names

log = structlog.get_logger(__name__)


@shared_task(name=names.COLLECT_DEAD_LETTERS)
def collect_dead_letters() -> None:
    """Move dead letters from the queue into the store; remove those that were closed long ago."""
    worker.gateway()
    try:
        collect.collect(collect.broker())
        service.purge()
    except (collect.BrokerUnavailableError, *OUTAGES) as outage:
        log.warning("dead letters not collected", reason=str(outage))
