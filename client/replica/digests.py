"""Computes digests of the copy by bucket, in bounded memory."""

from collections.abc import Iterator
from typing import Any

from client.replica import contents
from client.replica.content import entry_of, id_of
from contract.digests import BUCKET, Entry, digests

MAX_READ = 50_000  # documents per call, which takes some seconds


def bucket_digests(after: int, upto: int, max_read: int = MAX_READ) -> dict[str, Any]:
    """Return the ``buckets`` of ids in (after, upto], and ``reached``, the last id they cover.

    A bucket that was not read completely is left for the next call; ``max_read`` is at least two buckets.
    """
    read = 0

    def entries() -> Iterator[Entry]:
        nonlocal read
        for document in contents.documents(after, upto, max_read):
            read += 1
            if id_of(document) is not None:
                yield entry_of(document)

    found, reached = list(digests(entries())), upto
    if read == max_read and found:
        reached = found.pop().bucket * BUCKET - 1
    return {"buckets": found, "reached": reached}
