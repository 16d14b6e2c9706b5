"""Digests by which both services compare products: by id, sequence and the checksum of the content.

Ids are grouped into buckets of a fixed width. Equal digests mean equal buckets; only the others are compared by entry.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

BUCKET = 256  # ids per bucket
# Of products. A stray document with a higher id must not exhaust Admin's ids, and is no product of Admin's.
MAX_ID = 10**15


class Entry(NamedTuple):
    """One stored product. ``checksum`` is made from the content; a tombstone's is empty."""

    id: int
    sequence: int
    checksum: str


class Digest(NamedTuple):
    """One bucket: the ids from ``bucket * BUCKET``, their number, and one hash of all their entries."""

    bucket: int
    size: int
    digest: str


def digests(entries: Iterable[Entry]) -> Iterator[Digest]:
    """Yield the digest of each bucket that has entries. ``entries`` must be in the order of their ids."""
    for bucket, members in groupby(entries, lambda entry: entry.id // BUCKET):
        hashed, size = hashlib.blake2b(digest_size=16), 0
        for entry in members:
            hashed.update(f"{entry.id}:{entry.sequence}:{entry.checksum}\n".encode())
            size += 1
        yield Digest(bucket, size, hashed.hexdigest())
