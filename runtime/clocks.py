"""The tolerated clock offset between hosts, for signatures and the expiry of messages."""

from datetime import timedelta

TOLERANCE = timedelta(minutes=1)


def expiry(seconds: int) -> int:
    """Return Celery's ``expires`` for a message that may be dropped after ``seconds``.

    Celery converts it to a time by the sender's clock, and each worker compares that with its own clock. Without the
    tolerance, a worker whose clock is ahead would silently drop every message.
    """
    return seconds + int(TOLERANCE.total_seconds())
