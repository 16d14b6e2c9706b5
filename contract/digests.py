"""What both services sum up and compare: a product is its id, its sequence and the checksum of its content.

Ids are grouped in buckets of a fixed width; equal digests mean equal buckets, and only the others are looked into.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

BUCKET = 256  # ids per bucket
# Of products: a stray document far beyond must neither exhaust Admin's ids nor be taken for one of its products.
MAX_ID = 10**15


class Entry(NamedTuple):
    """One product as a store holds it. ``checksum`` is made from the content; a tombstone's is empty."""

    id: int
    sequence: int
    checksum: str


class Digest(NamedTuple):
    """One bucket: the ids from ``bucket * BUCKET``, their number, and one hash of all their entries."""

    bucket: int
    size: int
    digest: str


def digests(entries: Iterable[Entry]) -> Iterator[Digest]:
    """Sum up ``entries``, which come in the order of their ids; empty buckets are left out. Holds one entry."""
    for bucket, members in groupby(entries, lambda entry: entry.id // BUCKET):
        hashed, size = hashlib.blake2b(digest_size=16), 0
        for entry in members:
            hashed.update(f"{entry.id}:{entry.sequence}:{entry.checksum}\n".encode())
            size += 1
        yield Digest(bucket, size, hashed.hexdigest())
