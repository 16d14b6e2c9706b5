"""How far hosts' clocks may be apart, in one place: signatures and the expiry of messages allow for it."""

from datetime import timedelta

TOLERANCE = timedelta(minutes=1)


def expiry(seconds: int) -> int:
    """Return what Celery's ``expires`` must be for a message that is worth nothing after ``seconds``.

    Celery makes a time of the sender's clock from it, which each worker compares with its own: without the tolerance a
    worker whose clock is ahead drops every message, silently.
    """
    return seconds + int(TOLERANCE.total_seconds())
