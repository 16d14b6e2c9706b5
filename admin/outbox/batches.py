"""Splits what is sent to the Client into batches of bounded number and size."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], max_items: int, max_size: int, size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield ``items`` in lists of at most ``max_items``, whose sizes add up to at most ``max_size``.

    An item that is larger than ``max_size`` is a batch of its own.
    """
    batch: list[T] = []
    total = 0
    for item in items:
        size = size_of(item)
        if batch and (len(batch) == max_items or total + size > max_size):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield batch
