"""A6's sentry: a cheap comparison that runs by itself, some thousand products every few seconds.

What differs though nobody is at work on it is a suspect; found unchanged by a later look, it is drift. What no change
of Admin's can look like is drift at once. Drift of products that Admin has is repaired by itself: their rows become
pending, and the relay repairs each copy by compare-and-set (decision 36).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog
from sqlalchemy import delete, func, or_, select, tuple_, update

from admin.catalogue.models import Product
from admin.db.engine import retry_deadlocks, upsert, utc_now
from admin.db.extensions import db
from admin.outbox.models import VERIFIED, Replication
from admin.outbox.outbox import pending_again
from admin.reconcile.compare import Difference, differences
from admin.reconcile.compare import look as look_at
from admin.reconcile.diff import HIGHEST, LOWEST
from admin.reconcile.models import Drift, DriftCheck
from contract.messages import MAX_IDS
from contract.names import BULK

log = structlog.get_logger(__name__)

SPAN = 5_000  # products per look
EVERY = timedelta(seconds=5)  # between two looks, however many relays take part
PASS_REST = timedelta(seconds=20)  # after a pass: an idle system does not compare the same few products all the time
LOOK_REST = 20  # times what a look took: a store that answers slowly has more urgent things to do
LONGEST_REST = timedelta(hours=1)
AGAIN = timedelta(seconds=10)  # between two looks at the same suspect
_PATIENCE = 20.0  # seconds for an answer of the Client
MAX_KEPT = 1_000  # suspects and drift: enough to raise an alarm, and what is kept stays bounded
_EXAMPLES = 5
_NEVER = datetime(2001, 1, 1)  # noqa: DTZ001 - as the database's: naive; a new database's first look is due before it


@dataclass(frozen=True, slots=True)
class Example:
    """One product that drifted."""

    product_id: int
    kind: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """What the check knows: drift, suspects, and when it last came to the catalogue's end (None: not yet).

    ``checked_at`` is when a relay last took part, ``after_id`` up to where; both None before the first look.
    """

    confirmed: int
    suspected: int
    pass_finished_at: datetime | None
    examples: list[Example]
    checked_at: datetime | None = None
    after_id: int | None = None


def look() -> None:
    """Compare the next products, and look at suspects again. Any number of relays may call this at any time.

    Raises ClientUnavailableError; what it was about to look at then waits for the next pass.
    """
    span = _claim()
    if span is None:
        return
    began = time.monotonic()
    unexplained = (difference for difference in differences(*span, patience=_PATIENCE) if not difference.pending)
    try:
        found = list(islice(unexplained, MAX_KEPT))
    finally:
        _rest(timedelta(seconds=LOOK_REST * (time.monotonic() - began)))
    confirmed = _recheck(due) if (due := _due()) else []
    if found:
        _suspect(found)
    _resync([*confirmed, *(difference for difference in found if difference.certain)])


def summary() -> Summary:
    """Return what is known now, without asking anybody."""
    confirmed, total = db.session.execute(select(func.count(Drift.confirmed_at), func.count())).one()
    pass_ = db.session.execute(select(DriftCheck)).scalar_one()
    oldest = select(Drift).where(Drift.confirmed_at.is_not(None)).order_by(Drift.first_seen_at, Drift.product_id)
    drift = db.session.execute(oldest.limit(_EXAMPLES)).scalars()
    examples = [Example(row.product_id, row.kind, row.first_seen_at) for row in drift]
    checked_at = pass_.due_at - EVERY if pass_.due_at > _NEVER else None
    return Summary(confirmed, total - confirmed, pass_.pass_finished_at, examples, checked_at, pass_.after_id)


def forget_repaired() -> None:
    """Look at everything known at once, after a repair. Raises ClientUnavailableError."""
    ids = list(db.session.execute(select(Drift.product_id).order_by(Drift.product_id)).scalars())
    db.session.rollback()
    gone = set(ids) - {difference.id for difference in _differing(ids)}
    _remove(sorted(gone))


@retry_deadlocks
def _claim() -> tuple[int, int] | None:
    """Take the next range of ids for this process alone, None when it is not time yet; an empty one while the
    comparison rests, and only suspects are to be looked at. Commits.

    The lock is not held while the Client is asked: a look that fails leaves its range to the next pass.
    """
    now = db.session.execute(select(utc_now())).scalar_one()
    its_time = or_(DriftCheck.due_at <= now, DriftCheck.due_at > now + EVERY)  # later: the clock was set back
    due = select(DriftCheck).where(its_time).with_for_update(skip_locked=True)
    check = db.session.execute(due.execution_options(populate_existing=True)).scalar_one_or_none()
    if check is None:
        db.session.rollback()
        return None
    check.due_at = now + EVERY
    if check.paused_until and now < check.paused_until <= now + LONGEST_REST:
        db.session.commit()
        return LOWEST, LOWEST
    after = LOWEST if check.after_id is None else check.after_id
    last = select(Product.id).where(Product.id > after).order_by(Product.id).offset(SPAN - 1).limit(1)
    upto = db.session.execute(last).scalar_one_or_none()
    check.after_id = upto
    if upto is None:
        check.pass_finished_at, check.paused_until = now, now + PASS_REST
    db.session.commit()
    return after, HIGHEST if upto is None else upto


@retry_deadlocks
def _rest(wanted: timedelta) -> None:
    """Have nobody look at the next range before ``wanted`` is over, where that is longer than it would be. Commits."""
    if wanted <= EVERY:
        return
    now = db.session.execute(select(utc_now())).scalar_one()
    until, known = now + min(wanted, LONGEST_REST), DriftCheck.paused_until
    other = or_(known.is_(None), known < until, known > now + LONGEST_REST)
    db.session.execute(update(DriftCheck).where(other).values(paused_until=until))
    db.session.commit()


def _due() -> list[int]:
    now = db.session.execute(select(utc_now())).scalar_one()
    query = select(Drift.product_id).where(Drift.checked_at <= now - AGAIN).order_by(Drift.checked_at).limit(MAX_IDS)
    ids = list(db.session.execute(query).scalars())
    db.session.rollback()
    return ids


@retry_deadlocks
def _recheck(product_ids: Sequence[int]) -> list[Difference]:
    """Confirm what is still the same difference, start afresh with another one, forget what is gone. Returns what is
    confirmed. Commits.
    """
    found = {difference.id: difference for difference in _differing(product_ids)}
    _remove([id_ for id_ in product_ids if id_ not in found])
    known = select(Drift).where(Drift.product_id.in_(found)).with_for_update()
    now = db.session.execute(select(utc_now())).scalar_one()
    for row in db.session.execute(known.execution_options(populate_existing=True)).scalars():
        seen, certain = _seen(found[row.product_id]), found[row.product_id].certain
        if (row.kind, row.replica_sequence, row.replica_checksum) == seen:
            row.confirmed_at = row.confirmed_at or now
        else:
            row.kind, row.replica_sequence, row.replica_checksum = seen
            row.first_seen_at, row.confirmed_at = now, now if certain else None
        row.checked_at = now
        if row.confirmed_at is None:
            del found[row.product_id]
    db.session.commit()
    return list(found.values())


@retry_deadlocks
def _resync(confirmed: Sequence[Difference]) -> None:
    """Have the relay repair those whose row was verified as what Admin's content is: their copies were changed past
    Lockstep. Where the row says otherwise, Admin's own tables were edited, and a person decides. Commits.
    """
    verified = [(d.id, d.own.sequence, d.own.checksum) for d in confirmed if d.own]
    if not verified:
        return
    now = db.session.execute(select(utc_now())).scalar_one()
    same = tuple_(Replication.product_id, Replication.sequence, Replication.checksum).in_(verified)
    ids = [product_id for product_id, *_ in verified]
    marked = update(Replication).where(Replication.product_id.in_(ids), same, Replication.state == VERIFIED)
    resynced = db.session.execute(
        marked.values(**pending_again(now, BULK)).execution_options(synchronize_session=False)
    )
    db.session.commit()
    if rows := resynced.rowcount:  # type: ignore[attr-defined]
        log.warning("drift is being repaired", products=rows, product_ids=ids[:20])


@retry_deadlocks
def _suspect(found: Sequence[Difference]) -> None:
    """Note what is not known yet. Commits."""
    room = MAX_KEPT - db.session.execute(select(func.count()).select_from(Drift)).scalar_one()
    now = db.session.execute(select(utc_now())).scalar_one()
    rows = [_row(difference, now) for difference in found][: max(room, 0)]
    if rows:
        db.session.execute(upsert(Drift, rows, lambda _new: {}))  # the known ones stay as they are
        log.warning("the stores differ", suspects=len(found), product_ids=[row["product_id"] for row in rows][:20])
    db.session.commit()


@retry_deadlocks
def _remove(product_ids: Sequence[int]) -> None:
    if product_ids:
        db.session.execute(delete(Drift).where(Drift.product_id.in_(product_ids)))
    db.session.commit()


def _differing(product_ids: Sequence[int]) -> list[Difference]:
    """Return what differs now and nobody is at work on."""
    found = look_at(product_ids, _PATIENCE) if product_ids else []
    return [difference for difference in found if not difference.pending]


def _row(difference: Difference, now: datetime) -> dict[str, object]:
    kind, sequence, checksum = _seen(difference)
    times = {"first_seen_at": now, "checked_at": now, "confirmed_at": now if difference.certain else None}
    return {
        "product_id": difference.id,
        "kind": kind,
        "replica_sequence": sequence,
        "replica_checksum": checksum,
        **times,
    }


def _seen(difference: Difference) -> tuple[str, int | None, str | None]:
    held = difference.held
    return difference.kind, held.sequence if held else None, held.checksum if held else None
