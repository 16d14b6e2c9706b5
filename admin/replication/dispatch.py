"""Puts product messages on a lane's queue, one task for many (A2 and A3 send the same way)."""

from collections.abc import Iterator, Sequence

from tasks import names
from tasks.messages import ProductChanged
from tasks.publisher import Publisher
from tasks.versions import version_of

BATCH = 200  # products per task
BATCH_CHARACTERS = 400_000  # of descriptions: a message stays well under the broker's comfort
_SHOWN = 20  # products named in Flower per task


def send(publisher: Publisher, messages: Sequence[ProductChanged], lane: str) -> None:
    """Publish ``messages`` as one task. Raises PublishError."""
    queue = names.LANE_QUEUES[lane]
    if len(messages) == 1:
        publisher.publish(names.SYNC_PRODUCT, [messages[0].encode()], queue, f"({_shown(messages)},)")
    else:
        publisher.publish(names.SYNC_PRODUCTS, [[m.encode() for m in messages]], queue, f"([{_shown(messages)}],)")


def resync(publisher: Publisher, product_ids: Sequence[int], lane: str) -> None:
    """Have the Client fetch these products' states and mend what differs. Raises PublishError."""
    shown = f"([{', '.join(map(str, product_ids[:_SHOWN]))}],)"
    publisher.publish(names.RESYNC_PRODUCTS, [list(product_ids)], names.LANE_QUEUES[lane], shown)


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
    """``42@v3`` for each product, ``42@v4 deleted`` for tombstones: what a person looks for in Flower."""
    named = [f"{m.id}@v{version_of(m.ver)}{'' if m.product else ' deleted'}" for m in messages[:_SHOWN]]
    more = len(messages) - _SHOWN
    return ", ".join(named) + (f", … {more} more" if more > 0 else "")
