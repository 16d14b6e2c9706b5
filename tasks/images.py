"""The task that copies images. Products never wait for it, and beat asks for it whatever happened before."""

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from client import worker
from client.images import copy, purge
from client.store import OUTAGES
from contract import names
from runtime.clocks import expiry

log = structlog.get_logger(__name__)

_EXPIRES = 20  # seconds; beat asks again


@shared_task(name=names.COPY_IMAGES)
def copy_images() -> None:
    """Fetch the images that are wanted and due; remove some that nobody needs."""
    gateway = worker.gateway()
    try:
        copy.copy(gateway)
        purge.purge()
    except OUTAGES as outage:
        log.warning("images wait", reason=str(outage))


def announce() -> None:
    """Have the images copied now, not at beat's next turn."""
    try:
        copy_images.apply_async(expires=expiry(_EXPIRES))
    except OperationalError as error:
        log.warning("images wait for beat", reason=str(error))
