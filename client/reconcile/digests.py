"""The copy summed up, bucket by bucket, without holding it."""

from typing import Any

from client.reconcile import contents
from tasks.digests import BUCKET, digests

MAX_READ = 50_000  # documents per question: its answer takes some seconds


def summed(after: int, upto: int, copy: str = contents.LIVE, max_read: int = MAX_READ) -> dict[str, Any]:
    """Return ``buckets`` of the ids in (after, upto], and how far it came: ``reached``, at most ``upto``.

    A bucket that was not read to its end is left for the next question; ``max_read`` is at least two buckets.
    """
    found = list(digests(contents.entries(after, upto, max_read, copy)))
    reached = upto
    if sum(digest.count for digest in found) == max_read:
        reached = found.pop().bucket * BUCKET - 1
    return {"buckets": [[digest.bucket, digest.count, digest.digest] for digest in found], "reached": reached}
