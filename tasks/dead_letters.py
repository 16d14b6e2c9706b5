"""The tasks that keep the dead letters moving: out of the broker, and through their replays."""

from typing import Any

import structlog
from celery import shared_task
from celery.exceptions import Reject

from client import worker
from client.dead_letters import collect, service
from client.store import OUTAGES
from contract import names
from runtime.clocks import expiry

log = structlog.get_logger(__name__)

_EXPIRES = 60  # seconds; a replay that nobody took by then is announced again


@shared_task(name=names.COLLECT_DEAD_LETTERS)
def collect_dead_letters() -> None:
    """Take what lies in the queue, remove what was settled long ago, repeat replays that did not end."""
    worker.gateway()
    try:
        collect.collect(collect.broker())
        service.purge()
        for letter_id in service.overdue():
            replay_dead_letter.apply_async((letter_id,), expires=expiry(_EXPIRES))
    except (collect.BrokerUnavailableError, *OUTAGES) as outage:
        log.warning("dead letters wait", reason=str(outage))


@shared_task(name=names.REPLAY_DEAD_LETTER)
def replay_dead_letter(letter_id: Any) -> None:
    """Do the replay that was requested over REST, unless it was done or withdrawn meanwhile."""
    if not isinstance(letter_id, str):
        raise Reject("the id of a dead letter must be text", requeue=False)
    try:
        service.finish_replay(worker.gateway(), letter_id)
    except OUTAGES as outage:
        log.warning("replay waits", letter=letter_id, reason=str(outage))
