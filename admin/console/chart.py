"""The geometry of the chart of the lag. The template draws it, and shows the same figures as a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from admin.monitoring.lag_history import Bucket, History, Span

HEIGHT = 180  # pixels; widths are percentages, so that text has the same size on every screen
FLOOR = 0.01  # seconds; shorter lags are drawn as this
_TICKS = {0.01: "10 ms", 0.1: "0.1 s", 1.0: "1 s", 10.0: "10 s", 60.0: "1 min", 600.0: "10 min", 3600.0: "1 h"}
_TICKS |= {6 * 3600.0: "6 h", 24 * 3600.0: "1 day"}
_MIN_TOP = 10.0  # seconds; the scale reaches at least this, so that short lags look short


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket: x and width in percent, heights in pixels. ``waiting`` bars are changes that have not arrived."""

    bucket: Bucket
    x: float
    width: float
    mean: float | None
    slowest: float | None
    waiting: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    changes: int
    waiting: int
    mean: float | None
    slowest: float | None
    per_minute: float  # changes that arrived, in the latest buckets

    @property
    def empty(self) -> bool:
        return self.changes == 0


def draw(history: History, span: Span) -> Chart:
    """Return the bars of ``history`` on a logarithmic scale of seconds."""
    buckets = history.buckets
    values = [value for bucket in buckets for value in (bucket.slowest, bucket.waited) if value is not None]
    top = next((tick for tick in _TICKS if tick >= max([*values, _MIN_TOP])), max(_TICKS))
    step = 100 / len(buckets)
    bars = [
        Bar(
            bucket,
            x=round(number * step + step * 0.1, 3),
            width=round(step * 0.8, 3),
            mean=_height(bucket.mean, top),
            slowest=_height(bucket.slowest, top),
            waiting=_height(bucket.waited, top),
        )
        for number, bucket in enumerate(buckets)
    ]
    ticks = [Tick(HEIGHT - (_height(value, top) or 0), label) for value, label in _TICKS.items() if value <= top]
    arrived = [(bucket.mean, bucket.changes - bucket.waiting) for bucket in buckets if bucket.mean is not None]
    total = sum(count for _mean, count in arrived)
    return Chart(
        bars,
        ticks,
        changes=sum(bucket.changes for bucket in buckets),
        waiting=sum(bucket.waiting for bucket in buckets),
        mean=sum(mean * count for mean, count in arrived) / total if total else None,
        slowest=max((bucket.slowest for bucket in buckets if bucket.slowest is not None), default=None),
        per_minute=_per_minute(history, span),
    )


def _height(seconds: float | None, top: float) -> float | None:
    if seconds is None:
        return None
    share = math.log(min(max(seconds, FLOOR), top) / FLOOR) / math.log(top / FLOOR)
    return round(2 + share * (HEIGHT - 2), 1)


def _per_minute(history: History, span: Span) -> float:
    """Return the changes per minute that arrived in the latest buckets; the last bucket is not complete yet."""
    latest = history.buckets[-6:]
    seconds = (len(latest) - 1) * span.width.total_seconds() + (history.now - latest[-1].start).total_seconds()
    return sum(bucket.changes - bucket.waiting for bucket in latest) * 60 / max(seconds, 1)
