"""The task that copies images. Products never wait for it; a product enqueues it, and so does beat."""

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from client import worker
from client.images import copy, purge
from client.store import OUTAGES
from contract import names
from runtime.clocks import expiry

log = structlog.get_logger(__name__)

_EXPIRES = 20  # seconds; beat enqueues it again


@shared_task(name=names.COPY_IMAGES)
def copy_images() -> None:
    """Copy the images that are due; remove some unused ones."""
    gateway = worker.gateway()
    try:
        copy.copy(gateway)
        purge.purge()
    except OUTAGES as outage:
        log.warning("images not copied", reason=str(outage))


def announce() -> None:
    """Enqueue the task now, before beat's next run."""
    try:
        copy_images.apply_async(expires=expiry(_EXPIRES))
    except OperationalError as error:
        log.warning("image task not enqueued; beat enqueues it later", reason=str(error))
