"""Puts product messages on a lane's queue, one task for many (A2 and A3 send the same way)."""

from collections.abc import Iterator, Sequence
from typing import Any

import structlog

from contract import causation, names
from contract.messages import ProductChanged
from contract.publisher import Publisher
from runtime import tracing

BATCH = 50  # products per task: an edit waits for the tasks in the worker's hands, and larger ones save nothing
BATCH_CHARACTERS = 400_000  # of descriptions: a message stays well under the broker's comfort
_SHOWN = 20  # products named in Flower per task

log = structlog.get_logger(__name__)


def send(publisher: Publisher, messages: Sequence[ProductChanged], lane: str, level: str = "info") -> None:
    """Publish ``messages`` as one task, and log it at ``level``. Raises PublishError."""
    queue, headers = names.LANE_QUEUES[lane], causation.header((m.id, m.cause) for m in messages)
    if len(messages) == 1:
        task, shown = names.SYNC_PRODUCT, f"({_shown(messages)},)"
        argument: Any = messages[0].encode()
    else:
        task, shown = names.SYNC_PRODUCTS, f"([{_shown(messages)}],)"
        argument = [message.encode() for message in messages]
    with tracing.span("send products", "producer", (message.cause.traceparent for message in messages)):
        task_id = publisher.publish(task, [argument], queue, shown, headers=headers)
    causation.log_items(log, "sent", messages, level, lane=lane, task_id=task_id)


def batches(messages: Sequence[ProductChanged]) -> Iterator[list[ProductChanged]]:
    """Split into batches that are bounded in number and in size."""
    batch: list[ProductChanged] = []
    size = 0
    for message in messages:
        length = len(message.product.description) if message.product else 0
        if batch and (len(batch) == BATCH or size + length > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch


def _shown(messages: Sequence[ProductChanged]) -> str:
    """The products of a task for Flower, which keeps no more than 1,024 characters."""
    named = [message.label for message in messages[:_SHOWN]]
    more = len(messages) - _SHOWN
    return ", ".join(named) + (f", … {more} more" if more > 0 else "")
