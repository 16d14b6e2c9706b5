"""Verifies sent rows: asks the Client for its replica states and records which rows are stored, or why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, bindparam, literal_column, null, select, tuple_, update

from admin.db.engine import Moment, upsert, utc_now
from admin.db.extensions import db
from admin.outbox.models import VERIFIED, LaneProgress, ProductChange, Replication
from admin.relay import restore_detection
from contract import causation
from contract.causation import Cause, LogItem
from contract.digests import Entry
from contract.service_calls import ReplicaState
from contract.versions import label

log = structlog.get_logger(__name__)

MAX_ERROR = 500  # characters of a stored reason
OTHER_CONTENT = "the Client stores other content at the same version"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rows that did not arrive.

    Rows in ``missing`` are sent again. Copies of rows in ``differing`` need a repair, as the Client applies no message
    to a copy that is malformed or not older; ``seen`` is the Client's state of those. Rows of the lane that were sent
    before ``arrived_upto`` should have arrived.
    """

    missing: list[Replication]
    differing: list[Replication]
    arrived_upto: datetime | None = None
    seen: Mapping[int, Entry] = field(default_factory=dict)

    def lost(self, row: Replication) -> bool:
        """Return whether a row sent later arrived. During an outage none does, so no attempt counts."""
        return bool(row.sent_at and self.arrived_upto and row.sent_at < self.arrived_upto)


def verify(rows: Sequence[Replication], lane: str) -> Verdict:
    """Mark those of ``rows`` that arrived as verified; record the Client's reason for the others and return them.

    One call, one read and a few writes for the whole batch. Commits. Raises ClientUnavailableError, RestoredError.
    """
    answer, clock_offset = restore_detection.ask([row.product_id for row in rows])
    states = answer.states
    arrived = [row for row in rows if _is_verified(row, states.get(row.product_id))]
    verified = {row.product_id for row in arrived}
    others = [row for row in rows if row.product_id not in verified]
    verified_items: list[LogItem] = []
    if arrived:
        _mark_verified(arrived, lane)
        verified_items = _log_verified(arrived, states, clock_offset)
    _record_reasons(others, states)
    arrived_upto = _verified_sent_at(lane)
    db.session.commit()
    causation.log_items(log, "verified", verified_items, lane=lane)
    differing = [row for row in others if _needs_repair(row, states.get(row.product_id))]
    seen = {row.product_id: _entry(row.product_id, states[row.product_id]) for row in differing}
    return Verdict([row for row in others if row.product_id not in seen], differing, arrived_upto, seen)


def _needs_repair(row: Replication, state: ReplicaState | None) -> bool:
    """Return whether no message would change a copy that differs from ``row``."""
    return state is not None and (state.problem is not None or state.sequence >= row.sequence)


def _entry(product_id: int, state: ReplicaState) -> Entry:
    return Entry(product_id, state.sequence, state.checksum)


def _is_verified(row: Replication, state: ReplicaState | None) -> bool:
    """Return whether the Client stores exactly this state. A sequence above Admin's does not count: see _reason."""
    return state is not None and state.sequence == row.sequence and state.checksum == row.checksum


def _mark_verified(arrived: list[Replication], lane: str) -> None:
    ids = [row.product_id for row in arrived]
    # With the sequence, as a product that changed since the claim is not verified by its older state.
    same_sequence = tuple_(Replication.product_id, Replication.sequence).in_(
        [(r.product_id, r.sequence) for r in arrived]
    )
    db.session.execute(
        update(Replication)
        .where(Replication.product_id.in_(ids), same_sequence)
        .values(
            verified_sequence=Replication.sequence,
            state=VERIFIED,
            pending_since=None,
            due_at=None,
            sent_at=None,
            attempts=0,
            last_error=None,
        )
        .execution_options(synchronize_session=False)
    )
    _record_progress(lane, arrived)


def _log_verified(
    arrived: list[Replication], states: Mapping[int, ReplicaState], clock_offset: timedelta
) -> list[LogItem]:
    """Mark the change log's entries up to the verified sequences as verified.

    A time of application is recorded for the verified sequence alone: an older one may never have been applied.
    Returns what the log shows: those entries, and the rows without one, which a resync sent.
    """
    sequences = {row.product_id: row.sequence for row in arrived}
    still_open = select(ProductChange.id, ProductChange.product_id, ProductChange.sequence, ProductChange.request_id)
    still_open = still_open.where(ProductChange.product_id.in_(sequences), ProductChange.verified_at.is_(None))
    closed = [entry for entry in db.session.execute(still_open).tuples() if entry[2] <= sequences[entry[1]]]
    logged = {(product, sequence) for _id, product, sequence, _request in closed}
    resynced = [LogItem(row.label, row.cause) for row in arrived if (row.product_id, row.sequence) not in logged]
    if not closed:
        return resynced
    times = {
        id_: states[product].applied_at for id_, product, sequence, _request in closed if sequence == sequences[product]
    }
    db.session.execute(
        update(ProductChange)
        .where(ProductChange.id.in_([id_ for id_, *_ in closed]))
        .values(verified_at=utc_now(), applied_at=_by_id({id_: at + clock_offset for id_, at in times.items() if at}))
        .execution_options(synchronize_session=False)
    )
    return [
        *(LogItem(label(product, sequence), Cause(request)) for _id, product, sequence, request in closed),
        *resynced,
    ]


def _by_id(times: Mapping[int, datetime]) -> ColumnElement[Any]:
    """Return an SQL CASE from change id to time, without parameters: hundreds of them took longer than all else."""
    if not times:
        return null()
    whens = " ".join(f"WHEN {id_:d} THEN '{at:%Y-%m-%d %H:%M:%S.%f}'" for id_, at in times.items())
    return literal_column(f"CASE product_changes.id {whens} END", cast(Any, Moment))


def _record_reasons(others: list[Replication], states: Mapping[int, ReplicaState]) -> None:
    """Record why rows are not verified, where the reason changed."""
    reasons = {row.product_id: _reason(row, states.get(row.product_id)) for row in others}
    changed = [
        {"product": row.product_id, "v": row.sequence, "e": reasons[row.product_id]}
        for row in others
        if reasons[row.product_id] != row.last_error
    ]
    if changed:
        db.session.connection().execute(_SET_ERROR, changed)
        db.session.connection().execute(_SET_LOG_ERROR, changed)


# With the sequence, as a product that changed since the claim has no error yet.
_SET_ERROR = (
    update(Replication)
    .where(Replication.product_id == bindparam("product"), Replication.sequence == bindparam("v"))
    .values(last_error=bindparam("e"))
)
_SET_LOG_ERROR = (
    update(ProductChange)
    .where(ProductChange.product_id == bindparam("product"), ProductChange.sequence == bindparam("v"))
    .values(error=bindparam("e"))
)


def _reason(row: Replication, state: ReplicaState | None) -> str | None:
    if state is None:
        return None
    if state.failure and state.failed_sequence == row.sequence:
        return state.failure[:MAX_ERROR]
    if state.problem:
        return f"the Client's copy is malformed: {state.problem}"[:MAX_ERROR]
    if state.sequence > row.sequence:
        above = f"the Client stores sequence {state.sequence}, which is above Admin's {row.sequence}"
        return f"{above}; the copy is being repaired"
    return OTHER_CONTENT if state.sequence == row.sequence else None


def _verified_sent_at(lane: str) -> datetime | None:
    return db.session.execute(select(LaneProgress.verified_sent_at).filter_by(lane=lane)).scalar_one_or_none()


def _record_progress(lane: str, arrived: list[Replication]) -> None:
    """Record the lane's latest verification, and the time up to which its sent rows should have arrived."""
    last = max(arrived, key=lambda row: row.sent_at or datetime.min)  # noqa: DTZ901 - the database stores naive UTC
    known = _verified_sent_at(lane)
    progress = {
        "lane": lane,
        "verified_sent_at": max((moment for moment in (known, last.sent_at) if moment), default=None),
        "last_product_id": last.product_id,
        "last_sequence": last.sequence,
        "last_verified_at": db.session.execute(select(utc_now())).scalar_one(),
    }
    changed = [name for name in progress if name != "lane"]
    db.session.execute(upsert(LaneProgress, [progress], lambda new: {name: getattr(new, name) for name in changed}))
