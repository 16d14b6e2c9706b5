"""Claims outbox rows for a relay and sets when each is due next.

Every statement names the claimed sequence, so a product that changed meanwhile stays fresh.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, select, tuple_, update

from admin.db.engine import any_row, retry_deadlocks, table, utc_now
from admin.db.extensions import db
from admin.outbox import change_log
from admin.outbox.models import FRESH, SENT, STUCK, LaneProgress, Replication
from contract.names import LANE_QUEUES

UNVERIFIED = (FRESH, SENT, STUCK)
FIRST_RECHECK = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(seconds=15)
STUCK_AFTER = 5  # attempts that were lost while later ones of the same lane arrived
STUCK_BACKOFF = timedelta(minutes=5)


# Built once, of columns: it runs once or twice a second, and building a query of objects costs more than running it.
_rows = table(Replication).columns
_ANY_DUE = (
    select(_rows.product_id)
    .where(_rows.lane.in_(LANE_QUEUES), _rows.state.in_(UNVERIFIED), _rows.due_at <= utc_now())
    .limit(1)
)


def any_due() -> bool:
    """Return whether any lane has a due row. An idle relay runs only this query."""
    return any_row(_ANY_DUE)


@retry_deadlocks
def claim(lane: str, states: tuple[str, ...], limit: int) -> list[Replication]:
    """Claim up to ``limit`` due rows for this relay, oldest first, and set when they are due next. Commits.

    Fresh rows become sent. The returned rows show the values before, except ``due_at``, which is the claim's time.
    """
    now = db.session.execute(select(utc_now())).scalar_one()
    query = (
        select(Replication)
        .where(Replication.lane == lane, Replication.state.in_(states), Replication.due_at <= now)
        .order_by(Replication.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = list(db.session.execute(query).scalars())
    db.session.expunge_all()
    for row in rows:
        row.due_at = now
    if rows and FRESH in states:
        _update(rows, state=SENT, sent_at=now, due_at=now + FIRST_RECHECK)
    elif rows:
        # One time for the whole claim: rows that were sent together are rechecked together.
        _update(rows, due_at=now + backoff(rows[0]))
    db.session.commit()
    return rows


def time_in_flight(row: Replication) -> timedelta:
    """Return the time since a claimed row was sent; a large one where the clock was set back since."""
    return abs(row.due_at - row.sent_at) if row.due_at and row.sent_at else timedelta()


def backoff(row: Replication) -> timedelta:
    """Return the time until a sent row is rechecked: longer the longer it is in flight, with jitter."""
    if row.state == STUCK:
        return STUCK_BACKOFF
    delay = min(max(FIRST_RECHECK, time_in_flight(row) / 2) * (1 << row.attempts), LONGEST_BACKOFF)
    return delay * random.uniform(0.8, 1.2)


@retry_deadlocks
def mark_sent(rows: Sequence[Replication], lost: Sequence[Replication]) -> None:
    """Record that ``rows`` were sent again now, and count a failed attempt for those that are ``lost``. Commits.

    An attempt counts when the row is sent again, not at each recheck: a full queue, which delays sending, is not
    the row's fault.
    """
    _update(rows, sent_at=utc_now())
    if lost:
        more = Replication.attempts + 1
        # state before attempts: in MySQL, later assignments read the results of earlier ones
        state = case((more >= STUCK_AFTER, STUCK), else_=Replication.state)
        _update(lost, state=state)
        _update(lost, attempts=more)
        change_log.count_attempt(lost)
    db.session.commit()


@retry_deadlocks
def expedite(rows: Sequence[Replication]) -> None:
    """Make sent rows due in a moment, before their backoff ends, except those with lost attempts. Commits."""
    _update(rows, *_later_than(soon := _soon()), due_at=soon)
    db.session.commit()


@retry_deadlocks
def expedite_all() -> None:
    """Make all sent rows due in a moment, except those with lost attempts. Commits."""
    later = _later_than(soon := _soon())
    db.session.execute(update(Replication).where(Replication.lane.in_(LANE_QUEUES), *later).values(due_at=soon))
    db.session.commit()


def _soon() -> datetime:
    return db.session.execute(select(utc_now())).scalar_one() + FIRST_RECHECK


def _later_than(soon: datetime) -> tuple[ColumnElement[bool], ...]:
    return Replication.state == SENT, Replication.due_at > soon, Replication.attempts == 0


@retry_deadlocks
def release(rows: Sequence[Replication]) -> None:
    """Make claimed ``rows`` fresh again, as the broker did not accept them. Commits."""
    _update(rows, state=FRESH, sent_at=None, due_at=utc_now())
    db.session.commit()


@retry_deadlocks
def make_far_future_due() -> int:
    """Make rows due whose time is further ahead than any backoff, as the database's clock was set back.

    Commits; returns their number.
    """
    now = db.session.execute(select(utc_now())).scalar_one()
    count = 0
    for states, longest in (((FRESH, SENT), LONGEST_BACKOFF), ((STUCK,), STUCK_BACKOFF)):
        ahead = update(Replication).where(Replication.due_at > now + 2 * longest).values(due_at=now)
        index = Replication.lane.in_(LANE_QUEUES), Replication.state.in_(states)  # its first columns
        count += int(db.session.execute(ahead.where(*index)).rowcount)  # type: ignore[attr-defined]
    # A verification "later" than rows that are sent from now on would count a lost attempt for each of them.
    early = update(LaneProgress).where(LaneProgress.verified_sent_at > now)
    db.session.execute(early.values(verified_sent_at=now))
    db.session.commit()
    return count


def _update(rows: Sequence[Replication], *where: ColumnElement[bool], **values: object) -> None:
    """Write ``values`` to those of ``rows`` that still have the claimed sequence and match ``where``."""
    same = tuple_(Replication.product_id, Replication.sequence).in_([(row.product_id, row.sequence) for row in rows])
    db.session.execute(
        update(Replication)
        .where(Replication.product_id.in_([row.product_id for row in rows]), same, *where)
        .values(values)
        .execution_options(synchronize_session=False)
    )
