"""The copy summed up, bucket by bucket, without holding it."""

from collections.abc import Iterator
from typing import Any

from client.replica import contents
from client.replica.content import entry_of, id_of
from contract.digests import BUCKET, Entry, digests

MAX_READ = 50_000  # documents per question: its answer takes some seconds


def summed(after: int, upto: int, max_read: int = MAX_READ) -> dict[str, Any]:
    """Return ``buckets`` of the ids in (after, upto], and how far it came: ``reached``, at most ``upto``.

    A bucket that was not read to its end is left for the next question; ``max_read`` is at least two buckets.
    """
    read = 0

    def entries() -> Iterator[Entry]:
        nonlocal read
        for document in contents.documents(after, upto, max_read):
            read += 1
            if id_of(document) is not None:  # else it is no product's
                yield entry_of(document)

    found, reached = list(digests(entries())), upto
    if read == max_read and found:
        reached = found.pop().bucket * BUCKET - 1
    return {"buckets": found, "reached": reached}
