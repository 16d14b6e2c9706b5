"""What the shop shows late at this moment, told from its own store: no request waits for a part that is down."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from client import heartbeat
from client.likes import breaker
from web.pages.shared import Shared

# Some missed beats: a worker sweeps every 5 s, the relay asks at least every 15 s.
QUIET_AFTER = {heartbeat.WORKER: timedelta(seconds=15), heartbeat.ADMIN: timedelta(seconds=45)}
_EXACT = timedelta(minutes=2)  # younger than this no minutes are told


@dataclass(frozen=True, slots=True)
class Delays:
    """How long changes of products, and the forwarding of likes, have been held up; None: they are not."""

    products: timedelta | None
    likes: timedelta | None

    @property
    def notice(self) -> str:
        """Return what shoppers are told, empty when all is well."""
        told = []
        if self.products is not None:
            told.append(f"New products and prices may arrive late{_about(self.products)}.")
        if self.likes is not None:
            told.append("Likes count here at once and are passed on later.")
        return " ".join(told)


def _look() -> Delays:
    heartbeats, now = heartbeat.latest()
    quiet = {who: _quiet(heartbeats.get(who), now, limit) for who, limit in QUIET_AFTER.items()}
    products = [age for age in quiet.values() if age is not None]
    failing = breaker.state()
    since = now - failing["since"] if failing else quiet[heartbeat.WORKER]
    return Delays(max(products, default=None), since)


def _quiet(last: datetime | None, now: datetime, limit: timedelta) -> timedelta | None:
    """Return for how long nothing was heard, None when that is not long; never is as if it had just become so."""
    age = limit if last is None else now - last
    return age if age >= limit else None


def _about(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if age < _EXACT:
        return ""
    return (
        f"; there was no news for {minutes} minutes"
        if minutes < 120
        else f"; there was no news for {minutes // 60} hours"
    )


delays = Shared(_look, seconds=2.0, ratio=50)
