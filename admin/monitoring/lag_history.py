"""Computes the lag over time from the change log, at each request.

A change that has not arrived counts with its age so far, separately from those that arrived.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, case, func, select

from admin.db.engine import unix_seconds, utc_now
from admin.db.extensions import db
from admin.outbox.models import ProductChange

SAMPLE = 50_000  # of the span's changes, the latest, so that a chart's cost is bounded


@dataclass(frozen=True, slots=True)
class Span:
    """A time up to now, in equal parts."""

    length: timedelta
    parts: int

    @property
    def width(self) -> timedelta:
        """The length of one part."""
        return self.length / self.parts


HOUR, DAY = Span(timedelta(hours=1), 60), Span(timedelta(days=1), 96)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The changes committed in one part of the span. Lags are in seconds, None where there were no such changes.

    ``waiting`` of the ``changes`` are not known to have arrived; ``waited`` is the age of the oldest of them.
    ``mean`` and ``slowest`` are of those that arrived. ``known`` is False for times before the sample.
    """

    start: datetime
    changes: int
    waiting: int
    mean: float | None
    slowest: float | None
    waited: float | None
    known: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """The buckets of a span up to ``now``, oldest first. The last one is incomplete."""

    buckets: list[Bucket]
    now: datetime


def lag_history(span: Span) -> History:
    """Return the changes of ``span`` and their lags, in buckets."""
    now = db.session.execute(select(utc_now())).scalar_one()
    width = span.width.total_seconds()
    last = int(_seconds(now) // width)
    begin = _moment((last - span.parts + 1) * width)
    found = {bucket.start: bucket for bucket in _buckets(begin, now, width)}
    known_from = min(found, default=begin) if sum(b.changes for b in found.values()) >= SAMPLE else begin
    db.session.rollback()
    starts = [_moment((last - back) * width) for back in reversed(range(span.parts))]
    buckets = [found.get(start) or Bucket(start, 0, 0, None, None, None, start >= known_from) for start in starts]
    return History(buckets, now)


def _buckets(begin: datetime, now: datetime, width: float) -> Iterator[Bucket]:
    latest = (
        select(ProductChange.changed_at, ProductChange.applied_at, ProductChange.verified_at)
        .where(ProductChange.changed_at >= begin)
        .order_by(ProductChange.changed_at.desc())
        .limit(SAMPLE)
        .subquery()
    )
    number = func.floor(unix_seconds(latest.c.changed_at) / width).label("number")
    # verified without a time of application: a newer version replaced it first
    waiting = and_(latest.c.applied_at.is_(None), latest.c.verified_at.is_(None))
    lag = unix_seconds(latest.c.applied_at) - unix_seconds(latest.c.changed_at)
    oldest = func.min(case((waiting, unix_seconds(latest.c.changed_at))))
    query = select(
        number, func.count(), func.sum(case((waiting, 1), else_=0)), func.avg(lag), func.max(lag), oldest
    ).group_by(number)
    for part, changes, left, mean, slowest, since in db.session.execute(query):
        waited = None if since is None else _positive(_seconds(now) - float(since))
        yield Bucket(_moment(int(part) * width), int(changes), int(left), _positive(mean), _positive(slowest), waited)


def _positive(seconds: float | None) -> float | None:
    """Return at least 0: the difference of two clocks may be negative by milliseconds."""
    return None if seconds is None else max(0.0, float(seconds))


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()


def _moment(seconds: float) -> datetime:
    """Return a time as the database stores it: UTC, naive."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
