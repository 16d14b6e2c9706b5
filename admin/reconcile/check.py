"""The scheduled comparison of both stores: some thousand products every few seconds.

A difference that no pending row explains is a suspect. The same difference in a later check is drift. A difference that
no change of Admin's can cause is drift at once. Drift of products that Admin has is repaired automatically: their rows
become pending, and the relay repairs each copy by compare-and-set (decision 36).
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
from admin.reconcile.compare import Difference, compare_ids, differences
from admin.reconcile.diff import HIGHEST, LOWEST
from admin.reconcile.models import Drift, DriftCheck
from contract.messages import MAX_IDS
from contract.names import BULK

log = structlog.get_logger(__name__)

SPAN = 5_000  # products per check
EVERY = timedelta(seconds=5)  # between two checks, however many relays run
PASS_PAUSE = timedelta(seconds=20)  # after a pass, so that a small catalogue is not compared all the time
PAUSE_FACTOR = 20  # a check that took a second is followed by a pause of 20, to spare slow stores
LONGEST_PAUSE = timedelta(hours=1)
RECHECK_EVERY = timedelta(seconds=10)  # for each suspect
_TIMEOUT_SECONDS = 20.0  # seconds for the Client to answer
MAX_STORED = 1_000  # suspects and drift: enough for an alarm, and the table stays bounded
_EXAMPLES = 5
_NEVER = datetime(2001, 1, 1)  # noqa: DTZ001 - naive UTC; a new database's first check is due before it


@dataclass(frozen=True, slots=True)
class Example:
    """A product that drifted."""

    product_id: int
    kind: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of drift and suspects, and when the last pass through the catalogue finished (None: not yet).

    ``checked_at`` is the time of the last check by any relay, ``after_id`` its last id; both None before the first.
    """

    confirmed: int
    suspected: int
    pass_finished_at: datetime | None
    examples: list[Example]
    checked_at: datetime | None = None
    after_id: int | None = None


def compare_next() -> None:
    """Compare the next products and recheck suspects. Any number of relays may call this at any time.

    Raises ClientUnavailableError; the products then wait for the next pass.
    """
    span = _claim()
    if span is None:
        return
    began = time.monotonic()
    unexplained = (difference for difference in differences(*span, timeout=_TIMEOUT_SECONDS) if not difference.pending)
    try:
        found = list(islice(unexplained, MAX_STORED))
    finally:
        _pause(timedelta(seconds=PAUSE_FACTOR * (time.monotonic() - began)))
    confirmed = _recheck(due) if (due := _due()) else []
    if found:
        _store_suspects(found)
    _resync([*confirmed, *(difference for difference in found if difference.certain)])


def summary() -> Summary:
    """Return what the checks found so far, from the database alone."""
    confirmed, total = db.session.execute(select(func.count(Drift.confirmed_at), func.count())).one()
    pass_ = db.session.execute(select(DriftCheck)).scalar_one()
    oldest = select(Drift).where(Drift.confirmed_at.is_not(None)).order_by(Drift.first_seen_at, Drift.product_id)
    drift = db.session.execute(oldest.limit(_EXAMPLES)).scalars()
    examples = [Example(row.product_id, row.kind, row.first_seen_at) for row in drift]
    checked_at = pass_.due_at - EVERY if pass_.due_at > _NEVER else None
    return Summary(confirmed, total - confirmed, pass_.pass_finished_at, examples, checked_at, pass_.after_id)


def recheck_all() -> None:
    """Recheck all suspects and drift, after a repair; remove those that are equal. Raises ClientUnavailableError."""
    ids = list(db.session.execute(select(Drift.product_id).order_by(Drift.product_id)).scalars())
    db.session.rollback()
    gone = set(ids) - {difference.id for difference in _differing(ids)}
    _remove(sorted(gone))


@retry_deadlocks
def _claim() -> tuple[int, int] | None:
    """Return the next range of ids for this process: None before the next check is due, an empty range during a pause,
    in which only suspects are rechecked. Commits.

    No lock is held during the call to the Client: the range of a check that fails waits for the next pass.
    """
    now = db.session.execute(select(utc_now())).scalar_one()
    is_due = or_(DriftCheck.due_at <= now, DriftCheck.due_at > now + EVERY)  # later: the clock was set back
    due = select(DriftCheck).where(is_due).with_for_update(skip_locked=True)
    check = db.session.execute(due.execution_options(populate_existing=True)).scalar_one_or_none()
    if check is None:
        db.session.rollback()
        return None
    check.due_at = now + EVERY
    if check.paused_until and now < check.paused_until <= now + LONGEST_PAUSE:
        db.session.commit()
        return LOWEST, LOWEST
    after = LOWEST if check.after_id is None else check.after_id
    last = select(Product.id).where(Product.id > after).order_by(Product.id).offset(SPAN - 1).limit(1)
    upto = db.session.execute(last).scalar_one_or_none()
    check.after_id = upto
    if upto is None:
        check.pass_finished_at, check.paused_until = now, now + PASS_PAUSE
    db.session.commit()
    return after, HIGHEST if upto is None else upto


@retry_deadlocks
def _pause(wanted: timedelta) -> None:
    """Pause the comparison of ranges, in every relay, for ``wanted`` where that is longer than EVERY. Commits."""
    if wanted <= EVERY:
        return
    now = db.session.execute(select(utc_now())).scalar_one()
    until, known = now + min(wanted, LONGEST_PAUSE), DriftCheck.paused_until
    other = or_(known.is_(None), known < until, known > now + LONGEST_PAUSE)
    db.session.execute(update(DriftCheck).where(other).values(paused_until=until))
    db.session.commit()


def _due() -> list[int]:
    now = db.session.execute(select(utc_now())).scalar_one()
    query = (
        select(Drift.product_id)
        .where(Drift.checked_at <= now - RECHECK_EVERY)
        .order_by(Drift.checked_at)
        .limit(MAX_IDS)
    )
    ids = list(db.session.execute(query).scalars())
    db.session.rollback()
    return ids


@retry_deadlocks
def _recheck(product_ids: Sequence[int]) -> list[Difference]:
    """Confirm suspects with the same difference, restart those with another one, remove those that are equal.

    Returns the confirmed differences. Commits.
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
    """Make those rows pending that were verified with Admin's current content: their copies were changed outside
    Lockstep. Where the row differs from the content, Admin's tables were edited, and a person decides. Commits.
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
def _store_suspects(found: Sequence[Difference]) -> None:
    """Store the differences that are not known yet. Commits."""
    left = MAX_STORED - db.session.execute(select(func.count()).select_from(Drift)).scalar_one()
    now = db.session.execute(select(utc_now())).scalar_one()
    rows = [_row(difference, now) for difference in found][: max(left, 0)]
    if rows:
        db.session.execute(upsert(Drift, rows, lambda _new: {}))  # known ones stay unchanged
        log.warning("the stores differ", suspects=len(found), product_ids=[row["product_id"] for row in rows][:20])
    db.session.commit()


@retry_deadlocks
def _remove(product_ids: Sequence[int]) -> None:
    if product_ids:
        db.session.execute(delete(Drift).where(Drift.product_id.in_(product_ids)))
    db.session.commit()


def _differing(product_ids: Sequence[int]) -> list[Difference]:
    """Return the differences among ``product_ids`` that no pending row explains."""
    found = compare_ids(product_ids, _TIMEOUT_SECONDS) if product_ids else []
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
    replica = difference.replica
    return difference.kind, replica.sequence if replica else None, replica.checksum if replica else None
