"""A3, in the database: which rows a relay works on, and when each is looked at next.

Every statement names the sequence that was claimed: what changed meanwhile is fresh again and stays so.
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

UNPROVEN = (FRESH, SENT, STUCK)
FIRST_LOOK = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(seconds=15)
STUCK_AFTER = 5  # attempts that were lost while later ones of the same lane arrived
STUCK_BACKOFF = timedelta(minutes=5)


# Made once, and of columns: twice a second, putting a query of objects together costs more than its answer.
_rows = table(Replication).columns
_ANY_DUE = (
    select(_rows.product_id)
    .where(_rows.lane.in_(LANE_QUEUES), _rows.state.in_(UNPROVEN), _rows.due_at <= utc_now())
    .limit(1)
)


def any_due() -> bool:
    """Return whether there is anything to claim in any lane: all that an idle relay asks, twice a second."""
    return any_row(_ANY_DUE)


@retry_deadlocks
def claim(lane: str, states: tuple[str, ...], limit: int) -> list[Replication]:
    """Take up to ``limit`` due rows, oldest first, for this relay alone, and set when they are due next.

    Fresh rows become sent; what is returned shows them as they were, but for ``due_at``, which is now. Commits.
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
        _update(rows, state=SENT, sent_at=now, due_at=now + FIRST_LOOK)
    elif rows:
        # One moment for the whole claim: they were sent together and are looked at together.
        _update(rows, due_at=now + backoff(rows[0]))
    db.session.commit()
    return rows


def under_way(row: Replication) -> timedelta:
    """Return how long ago a claimed row was sent; long ago, when the clock was set back far behind that."""
    return abs(row.due_at - row.sent_at) if row.due_at and row.sent_at else timedelta()


def backoff(row: Replication) -> timedelta:
    """Return when to look at a sent row again: later the longer it is under way, with jitter."""
    if row.state == STUCK:
        return STUCK_BACKOFF
    delay = min(max(FIRST_LOOK, under_way(row) / 2) * (1 << row.attempts), LONGEST_BACKOFF)
    return delay * random.uniform(0.8, 1.2)


@retry_deadlocks
def mark_sent(rows: Sequence[Replication], lost: Sequence[Replication]) -> None:
    """Note that ``rows`` were sent again just now, and that the attempt before failed for those that are ``lost``.

    An attempt counts when it is made again, not at each look: however often a full queue keeps a row from being
    sent, it is not the row's fault. Commits.
    """
    _update(rows, sent_at=utc_now())
    if lost:
        more = Replication.attempts + 1
        # state before attempts: MySQL's later assignments see the earlier ones' results
        state = case((more >= STUCK_AFTER, STUCK), else_=Replication.state)
        _update(lost, state=state)
        _update(lost, attempts=more)
        change_log.note_attempt(lost)
    db.session.commit()


@retry_deadlocks
def expedite(rows: Sequence[Replication]) -> None:
    """Have sent rows looked at in a moment, whatever their backoff says; not those that were lost before. Commits."""
    _update(rows, *_later_than(soon := _soon()), due_at=soon)
    db.session.commit()


@retry_deadlocks
def expedite_all() -> None:
    """The same for everything that was sent. Commits."""
    later = _later_than(soon := _soon())
    db.session.execute(update(Replication).where(Replication.lane.in_(LANE_QUEUES), *later).values(due_at=soon))
    db.session.commit()


def _soon() -> datetime:
    return db.session.execute(select(utc_now())).scalar_one() + FIRST_LOOK


def _later_than(soon: datetime) -> tuple[ColumnElement[bool], ...]:
    return Replication.state == SENT, Replication.due_at > soon, Replication.attempts == 0


@retry_deadlocks
def put_back(rows: Sequence[Replication]) -> None:
    """Make ``rows`` fresh again: the broker did not take them. Commits."""
    _update(rows, state=FRESH, sent_at=None, due_at=utc_now())
    db.session.commit()


@retry_deadlocks
def rescue_far_future() -> int:
    """Make rows due whose time lies further ahead than any backoff: the database's clock was set back.

    Commits; returns how many.
    """
    now = db.session.execute(select(utc_now())).scalar_one()
    rescued = 0
    for states, longest in (((FRESH, SENT), LONGEST_BACKOFF), ((STUCK,), STUCK_BACKOFF)):
        ahead = update(Replication).where(Replication.due_at > now + 2 * longest).values(due_at=now)
        index = Replication.lane.in_(LANE_QUEUES), Replication.state.in_(states)  # what it begins with
        rescued += int(db.session.execute(ahead.where(*index)).rowcount)  # type: ignore[attr-defined]
    # What arrived "later" than all that is sent from now on would make each of those an attempt that was lost.
    early = update(LaneProgress).where(LaneProgress.verified_sent_at > now)
    db.session.execute(early.values(verified_sent_at=now))
    db.session.commit()
    return rescued


def _update(rows: Sequence[Replication], *where: ColumnElement[bool], **values: object) -> None:
    """Write ``values`` to those of ``rows`` that still have the sequence they were claimed with, and meet ``where``."""
    same = tuple_(Replication.product_id, Replication.sequence).in_([(row.product_id, row.sequence) for row in rows])
    db.session.execute(
        update(Replication)
        .where(Replication.product_id.in_([row.product_id for row in rows]), same, *where)
        .values(values)
        .execution_options(synchronize_session=False)
    )
