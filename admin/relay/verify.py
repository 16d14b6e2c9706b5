"""A6: ask the Client what it holds; what arrived is verified, the rest learns why not."""

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

MAX_ERROR = 500  # characters kept of a reason
OTHER_CONTENT = "the Client holds other content at the same version"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rows that did not arrive: ``missing`` ones are sent again; the copies of ``differing`` ones need a repair,
    as the Client takes no message that is not newer, and none over a malformed copy. ``seen`` is what the Client holds
    of those. What was sent before ``arrived_upto`` in this lane should have arrived.
    """

    missing: list[Replication]
    differing: list[Replication]
    arrived_upto: datetime | None = None
    seen: Mapping[int, Entry] = field(default_factory=dict)

    def lost(self, row: Replication) -> bool:
        """Whether a row sent later arrived. An outage proves nothing, so it counts as no attempt."""
        return bool(row.sent_at and self.arrived_upto and row.sent_at < self.arrived_upto)


def verify(rows: Sequence[Replication], lane: str) -> Verdict:
    """Prove those of ``rows`` that arrived; return the others, with the Client's reason noted.

    One call, one read and a few writes for the whole batch; commits. Raises ClientUnavailableError, RestoredError.
    """
    answer, behind = restore_detection.ask([row.product_id for row in rows])
    states = answer.states
    arrived = [row for row in rows if _is_verified(row, states.get(row.product_id))]
    verified = {row.product_id for row in arrived}
    others = [row for row in rows if row.product_id not in verified]
    told: list[LogItem] = []
    if arrived:
        _mark_verified(arrived, lane)
        told = _log_verified(arrived, states, behind)
    _explain(others, states)
    arrived_upto = _verified_sent_at(lane)
    db.session.commit()
    causation.log_items(log, "verified", told, lane=lane)
    differing = [row for row in others if _needs_repair(row, states.get(row.product_id))]
    seen = {row.product_id: _entry(row.product_id, states[row.product_id]) for row in differing}
    return Verdict([row for row in others if row.product_id not in seen], differing, arrived_upto, seen)


def _needs_repair(row: Replication, states: ReplicaState | None) -> bool:
    """Whether no message of Admin's would change a copy that is not ``row``'s state."""
    return states is not None and (states.problem is not None or states.sequence >= row.sequence)


def _entry(product_id: int, states: ReplicaState) -> Entry:
    return Entry(product_id, states.sequence, states.checksum)


def _is_verified(row: Replication, states: ReplicaState | None) -> bool:
    """The Client holds exactly this state. Holding more than Admin knows proves nothing: see _reason."""
    return states is not None and states.sequence == row.sequence and states.checksum == row.checksum


def _mark_verified(arrived: list[Replication], lane: str) -> None:
    ids = [row.product_id for row in arrived]
    # The sequence is asked for again: a product changed since the claim is not verified by its older state.
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
    _note_progress(lane, arrived)


def _log_verified(arrived: list[Replication], states: Mapping[int, ReplicaState], behind: timedelta) -> list[LogItem]:
    """Close the change log's open entries up to the verified sequence. Older ones may have been replaced before they
    were applied: their time stays unknown.

    Returns what the verification is about: those entries, and rows without one, which were replayed.
    """
    sequences = {row.product_id: row.sequence for row in arrived}
    still_open = select(ProductChange.id, ProductChange.product_id, ProductChange.sequence, ProductChange.request_id)
    still_open = still_open.where(ProductChange.product_id.in_(sequences), ProductChange.verified_at.is_(None))
    closed = [entry for entry in db.session.execute(still_open).tuples() if entry[2] <= sequences[entry[1]]]
    logged = {(product, sequence) for _id, product, sequence, _request in closed}
    replayed = [LogItem(row.label, row.cause) for row in arrived if (row.product_id, row.sequence) not in logged]
    if not closed:
        return replayed
    times = {
        id_: states[product].applied_at for id_, product, sequence, _request in closed if sequence == sequences[product]
    }
    db.session.execute(
        update(ProductChange)
        .where(ProductChange.id.in_([id_ for id_, *_ in closed]))
        .values(verified_at=utc_now(), applied_at=_by_id({id_: at + behind for id_, at in times.items() if at}))
        .execution_options(synchronize_session=False)
    )
    return [
        *(LogItem(label(product, sequence), Cause(request)) for _id, product, sequence, request in closed),
        *replayed,
    ]


def _by_id(times: Mapping[int, datetime]) -> ColumnElement[Any]:
    """Return each change's time in SQL. Written out: as hundreds of parameters it took longer than all the rest."""
    if not times:
        return null()
    whens = " ".join(f"WHEN {id_:d} THEN '{at:%Y-%m-%d %H:%M:%S.%f}'" for id_, at in times.items())
    return literal_column(f"CASE product_changes.id {whens} END", cast(Any, Moment))


def _explain(others: list[Replication], states: Mapping[int, ReplicaState]) -> None:
    """Note the Client's reason why a row is not verified, where it is another than before."""
    reasons = {row.product_id: _reason(row, states.get(row.product_id)) for row in others}
    changed = [
        {"product": row.product_id, "v": row.sequence, "e": reasons[row.product_id]}
        for row in others
        if reasons[row.product_id] != row.last_error
    ]
    if changed:
        db.session.connection().execute(_NOTE, changed)
        db.session.connection().execute(_NOTE_IN_LOG, changed)


# With the sequence: a product changed since the claim starts afresh.
_NOTE = (
    update(Replication)
    .where(Replication.product_id == bindparam("product"), Replication.sequence == bindparam("v"))
    .values(last_error=bindparam("e"))
)
_NOTE_IN_LOG = (
    update(ProductChange)
    .where(ProductChange.product_id == bindparam("product"), ProductChange.sequence == bindparam("v"))
    .values(error=bindparam("e"))
)


def _reason(row: Replication, states: ReplicaState | None) -> str | None:
    if states is None:
        return None
    if states.failure and states.failed_sequence == row.sequence:
        return states.failure[:MAX_ERROR]
    if states.problem:
        return f"the Client's copy is malformed: {states.problem}"[:MAX_ERROR]
    if states.sequence > row.sequence:
        return (
            f"the Client holds a later version ({states.sequence}) than Admin's ({row.sequence}); it is being repaired"
        )
    return OTHER_CONTENT if states.sequence == row.sequence else None


def _verified_sent_at(lane: str) -> datetime | None:
    return db.session.execute(select(LaneProgress.verified_sent_at).filter_by(lane=lane)).scalar_one_or_none()


def _note_progress(lane: str, arrived: list[Replication]) -> None:
    """Remember the last result, and up to which moment what was sent in this lane is known to arrive."""
    last = max(arrived, key=lambda row: row.sent_at or datetime.min)  # noqa: DTZ901 - as the database's: naive
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
