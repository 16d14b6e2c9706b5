"""The product tasks: decode messages, apply them, classify failures.

They use no Celery retry, because the relay sends again. While the store is down a task waits as long as PyMongo
searches for a primary, then acknowledges. A message that only a newer release can read is acknowledged too. Only a
message that can never be applied is rejected into the dead letters.
"""

from typing import Any

import structlog
from celery import Task, current_task, shared_task
from celery.exceptions import Reject, SoftTimeLimitExceeded

from client import worker
from client.admin_gateway import AdminUnavailableError
from client.images import wanted
from client.replica import apply, failures, resync
from client.store import OUTAGES
from contract import causation, names
from contract.arguments import wrong_ids
from contract.messages import InvalidMessageError, NewerMessageError, ProductChanged
from runtime import tracing
from tasks import images

log = structlog.get_logger(__name__)

RESYNC_SECONDS, RESYNC_RETRIES = 30, 20  # between two tries while Admin or the store is down, and their number
RESYNC_EXPIRES = 3_600  # seconds


@shared_task(name=names.SYNC_PRODUCT)
def sync_product(message: Any) -> None:
    """Apply one product's state."""
    _sync([message])


@shared_task(name=names.SYNC_PRODUCTS)
def sync_products(messages: Any) -> None:
    """Apply many products' states; an invalid one is refused alone."""
    if not isinstance(messages, list):
        raise Reject("messages must be a list", requeue=False)
    _sync(messages)


@shared_task(name=names.RESYNC_PRODUCT, bind=True, max_retries=RESYNC_RETRIES)
def resync_product(self: Task, product_id: int) -> None:
    """Fetch a product's current state from Admin and make the copy equal to it. Operators call this task by hand.

    After its last retry it is a dead letter, with the reason, and can be resynced.
    """
    _resync(self, [product_id])


@shared_task(name=names.RESYNC_PRODUCTS, bind=True, max_retries=RESYNC_RETRIES)
def resync_products(self: Task, product_ids: Any) -> None:
    """Resync many products, at most MAX_IDS."""
    _resync(self, product_ids)


def _resync(task: Task, product_ids: Any) -> None:
    if wrong := wrong_ids(product_ids):
        raise Reject(wrong, requeue=False)
    try:
        wanted.record(resync.resync(worker.gateway(), product_ids).states)
    except (AdminUnavailableError, *OUTAGES) as outage:
        expires = task.request.expires or RESYNC_EXPIRES
        raise task.retry(countdown=RESYNC_SECONDS, exc=outage, expires=expires) from outage


def _sync(raw: list[Any]) -> None:
    worker.gateway()
    messages, refused = _decode(raw)
    causation.log_items(log, "received", messages)
    with tracing.span("apply products", "consumer", (message.cause.traceparent for message in messages)):
        _apply(messages, refused)


def _apply(messages: list[ProductChanged], refused: list[InvalidMessageError]) -> None:
    try:
        apply.apply(messages)
        if wanted.record(messages):
            images.announce()
        for error in refused:
            failures.record(error)
    except (*OUTAGES, SoftTimeLimitExceeded) as outage:
        # A write also waits for a lock on the document: that of a dead process's transaction lasts a minute.
        log.warning("the store does not answer; the relay will send again", error=repr(outage))
        return
    invalid = [error.reason for error in refused if not isinstance(error, NewerMessageError)]
    if invalid:
        raise Reject("; ".join(invalid[:3]), requeue=False)


def _decode(raw: list[Any]) -> tuple[list[ProductChanged], list[InvalidMessageError]]:
    messages, refused = [], []
    caused = causation.of_task(vars(current_task.request))
    for item in raw:
        try:
            messages.append(ProductChanged.decode(item, caused))
        except InvalidMessageError as error:
            log.warning("message refused", reason=error.reason, product_id=error.product_id, sequence=error.sequence)
            refused.append(error)
    return messages, refused
