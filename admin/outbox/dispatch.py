"""Publishes product messages on a lane's queue, many in one task. The eager publisher and the relay both use it."""

from collections.abc import Iterator, Sequence
from typing import Any

import structlog

from admin.outbox.batches import batches
from contract import causation, names
from contract.messages import ProductChanged
from contract.publisher import Publisher
from runtime import tracing

BATCH = 50  # products per task: an edit waits for the tasks that workers have begun, and larger tasks save nothing
BATCH_CHARACTERS = 400_000  # of descriptions per task: RabbitMQ handles messages of this size well
_LABELS_SHOWN = 20  # products named in Flower per task

log = structlog.get_logger(__name__)


def send(publisher: Publisher, messages: Sequence[ProductChanged], lane: str, level: str = "info") -> None:
    """Publish ``messages`` as one task, and log it at ``level``. Raises PublishError."""
    queue, headers = names.LANE_QUEUES[lane], causation.header((m.id, m.cause) for m in messages)
    if len(messages) == 1:
        task, shown = names.SYNC_PRODUCT, f"({_labels(messages)},)"
        argument: Any = messages[0].encode()
    else:
        task, shown = names.SYNC_PRODUCTS, f"([{_labels(messages)}],)"
        argument = [message.encode() for message in messages]
    with tracing.span("send products", "producer", (message.cause.traceparent for message in messages)):
        task_id = publisher.publish(task, [argument], queue, shown, headers=headers)
    causation.log_items(log, "sent", messages, level, lane=lane, task_id=task_id)


def split(messages: Sequence[ProductChanged]) -> Iterator[list[ProductChanged]]:
    """Split ``messages`` into those of one task each."""
    return batches(messages, BATCH, BATCH_CHARACTERS, _characters)


def _characters(message: ProductChanged) -> int:
    return len(message.product.description) if message.product else 0


def _labels(messages: Sequence[ProductChanged]) -> str:
    """Return the labels of a task's products for Flower, which stores at most 1,024 characters."""
    labels = [message.label for message in messages[:_LABELS_SHOWN]]
    more = len(messages) - _LABELS_SHOWN
    return ", ".join(labels) + (f", … {more} more" if more > 0 else "")
