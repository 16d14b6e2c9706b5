"""Which parts are delayed, read from the Client's own store, so that no request waits for a part that is down."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from client import heartbeat
from client.likes import breaker
from web.pages.shared import Shared

# Three missed heartbeats: the worker's come every 10 s, the relay's at least every 15 s.
LATE_AFTER = {heartbeat.WORKER: timedelta(seconds=30), heartbeat.ADMIN: timedelta(seconds=45)}
_SHOW_MINUTES_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Delays:
    """How long product changes and the forwarding of likes have been delayed; None: they are not."""

    products: timedelta | None
    likes: timedelta | None

    @property
    def notice(self) -> str:
        """Return the text for shoppers, empty when nothing is delayed."""
        sentences = []
        if self.products is not None:
            sentences.append(f"New products and prices may arrive late{_about(self.products)}.")
        if self.likes is not None:
            sentences.append("Likes are counted immediately and forwarded later.")
        return " ".join(sentences)


def _read() -> Delays:
    heartbeats, now = heartbeat.latest()
    late = {process: _late_by(heartbeats.get(process), now, limit) for process, limit in LATE_AFTER.items()}
    products = [age for age in late.values() if age is not None]
    failing = breaker.state()
    since = now - failing["since"] if failing else late[heartbeat.WORKER]
    return Delays(max(products, default=None), since)


def _late_by(last: datetime | None, now: datetime, limit: timedelta) -> timedelta | None:
    """Return the age of the last heartbeat where it is at least ``limit``, else None; ``limit`` without a heartbeat."""
    age = limit if last is None else now - last
    return age if age >= limit else None


def _about(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if age < _SHOW_MINUTES_AFTER:
        return ""
    return (
        f"; the last update was {minutes} minutes ago"
        if minutes < 120
        else f"; the last update was {minutes // 60} hours ago"
    )


delays = Shared(_read, seconds=2.0, ratio=50)
