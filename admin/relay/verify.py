"""A6: ask the Client what it holds; what arrived is proven, the rest learns why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, bindparam, literal_column, null, select, tuple_, update

from admin.db.engine import Moment, upsert, utc_now
from admin.db.extensions import db
from admin.outbox.client_gateway import Held
from admin.outbox.models import PROVEN, LaneProgress, ProductChange, Replication
from admin.relay import restore_detection
from contract import causation
from contract.causation import Named, Origin
from contract.digests import Entry
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
    held = answer.held
    arrived = [row for row in rows if _is_proven(row, held.get(row.product_id))]
    proven = {row.product_id for row in arrived}
    others = [row for row in rows if row.product_id not in proven]
    told: list[Named] = []
    if arrived:
        _prove(arrived, lane)
        told = _log_proof(arrived, held, behind)
    _explain(others, held)
    arrived_upto = _proven_sent_at(lane)
    db.session.commit()
    causation.tell(log, "proven", told, lane=lane)
    differing = [row for row in others if _needs_repair(row, held.get(row.product_id))]
    seen = {row.product_id: _entry(row.product_id, held[row.product_id]) for row in differing}
    return Verdict([row for row in others if row.product_id not in seen], differing, arrived_upto, seen)


def _needs_repair(row: Replication, held: Held | None) -> bool:
    """Whether no message of Admin's would change a copy that is not ``row``'s state."""
    return held is not None and (held.problem is not None or held.ver >= row.ver)


def _entry(product_id: int, held: Held) -> Entry:
    return Entry(product_id, held.ver, held.checksum)


def _is_proven(row: Replication, held: Held | None) -> bool:
    """The Client holds exactly this state. Holding more than Admin knows proves nothing: see _reason."""
    return held is not None and held.ver == row.ver and held.checksum == row.checksum


def _prove(arrived: list[Replication], lane: str) -> None:
    ids = [row.product_id for row in arrived]
    # The ver is asked for again: a product changed since the claim is not proven by its older state.
    same_ver = tuple_(Replication.product_id, Replication.ver).in_([(r.product_id, r.ver) for r in arrived])
    db.session.execute(
        update(Replication)
        .where(Replication.product_id.in_(ids), same_ver)
        .values(
            proven_ver=Replication.ver,
            state=PROVEN,
            unproven_since=None,
            due_at=None,
            sent_at=None,
            attempts=0,
            last_error=None,
        )
        .execution_options(synchronize_session=False)
    )
    _note_progress(lane, arrived)


def _log_proof(arrived: list[Replication], held: Mapping[int, Held], behind: timedelta) -> list[Named]:
    """Close the change log's open entries up to the proven ver. Of older ones nobody knows whether they were applied
    before a newer one replaced them.

    Returns what the proof is about: those entries, and rows without one, which were replayed.
    """
    vers = {row.product_id: row.ver for row in arrived}
    still_open = select(ProductChange.id, ProductChange.product_id, ProductChange.ver, ProductChange.request_id)
    still_open = still_open.where(ProductChange.product_id.in_(vers), ProductChange.proven_at.is_(None))
    closed = [entry for entry in db.session.execute(still_open).tuples() if entry[2] <= vers[entry[1]]]
    logged = {(product, ver) for _id, product, ver, _request in closed}
    replayed = [Named(row.label, row.origin) for row in arrived if (row.product_id, row.ver) not in logged]
    if not closed:
        return replayed
    times = {id_: held[product].applied_at for id_, product, ver, _request in closed if ver == vers[product]}
    db.session.execute(
        update(ProductChange)
        .where(ProductChange.id.in_([id_ for id_, *_ in closed]))
        .values(proven_at=utc_now(), applied_at=_by_id({id_: at + behind for id_, at in times.items() if at}))
        .execution_options(synchronize_session=False)
    )
    return [*(Named(label(product, ver), Origin(request)) for _id, product, ver, request in closed), *replayed]


def _by_id(times: Mapping[int, datetime]) -> ColumnElement[Any]:
    """Return each change's time in SQL. Written out: as hundreds of parameters it took longer than all the rest."""
    if not times:
        return null()
    whens = " ".join(f"WHEN {id_:d} THEN '{at:%Y-%m-%d %H:%M:%S.%f}'" for id_, at in times.items())
    return literal_column(f"CASE product_changes.id {whens} END", cast(Any, Moment))


def _explain(others: list[Replication], held: Mapping[int, Held]) -> None:
    """Note the Client's reason why a row is not proven, where it is another than before."""
    reasons = {row.product_id: _reason(row, held.get(row.product_id)) for row in others}
    changed = [
        {"product": row.product_id, "v": row.ver, "e": reasons[row.product_id]}
        for row in others
        if reasons[row.product_id] != row.last_error
    ]
    if changed:
        db.session.connection().execute(_NOTE, changed)
        db.session.connection().execute(_NOTE_IN_LOG, changed)


# With the ver: a product changed since the claim starts afresh.
_NOTE = (
    update(Replication)
    .where(Replication.product_id == bindparam("product"), Replication.ver == bindparam("v"))
    .values(last_error=bindparam("e"))
)
_NOTE_IN_LOG = (
    update(ProductChange)
    .where(ProductChange.product_id == bindparam("product"), ProductChange.ver == bindparam("v"))
    .values(error=bindparam("e"))
)


def _reason(row: Replication, held: Held | None) -> str | None:
    if held is None:
        return None
    if held.failure and held.failed_ver == row.ver:
        return held.failure[:MAX_ERROR]
    if held.problem:
        return f"the Client's copy is malformed: {held.problem}"[:MAX_ERROR]
    if held.ver > row.ver:
        return f"the Client holds a later version ({held.ver}) than Admin made ({row.ver}); it is being repaired"
    return OTHER_CONTENT if held.ver == row.ver else None


def _proven_sent_at(lane: str) -> datetime | None:
    return db.session.execute(select(LaneProgress.proven_sent_at).filter_by(lane=lane)).scalar_one_or_none()


def _note_progress(lane: str, arrived: list[Replication]) -> None:
    """Remember the last result, and up to which moment what was sent in this lane is known to arrive."""
    last = max(arrived, key=lambda row: row.sent_at or datetime.min)  # noqa: DTZ901 - as the database's: naive
    known = _proven_sent_at(lane)
    progress = {
        "lane": lane,
        "proven_sent_at": max((moment for moment in (known, last.sent_at) if moment), default=None),
        "last_product_id": last.product_id,
        "last_ver": last.ver,
        "last_proven_at": db.session.execute(select(utc_now())).scalar_one(),
    }
    changed = [name for name in progress if name != "lane"]
    db.session.execute(upsert(LaneProgress, [progress], lambda new: {name: getattr(new, name) for name in changed}))
