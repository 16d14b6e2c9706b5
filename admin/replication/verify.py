"""A6: ask the Client what it holds; what arrived is proven, the rest learns why not."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, case, select, tuple_, update

from admin.database import upsert, utc_now
from admin.extensions import db
from admin.replication.client_gateway import Held, client_gateway
from admin.replication.models import PROVEN, STUCK, LaneProgress, ProductChange, Replication

STUCK_AFTER = 5  # attempts that were lost while later ones of the same lane arrived
MAX_ERROR = 500  # characters kept of a reason


def verify(rows: Sequence[Replication], lane: str) -> list[Replication]:
    """Prove those of ``rows`` that arrived; return the others, with their attempts counted.

    One call, one read and a few writes for the whole batch; commits. Raises ClientUnavailableError.
    """
    held = client_gateway().held([row.product_id for row in rows])
    arrived = [row for row in rows if _is_proven(row, held.get(row.product_id))]
    missing = [row for row in rows if not _is_proven(row, held.get(row.product_id))]
    if arrived:
        _prove(arrived, held, lane)
    _explain(missing, held, _proven_sent_at(lane))
    db.session.commit()
    return missing


def _is_proven(row: Replication, held: Held | None) -> bool:
    """The Client holds exactly this state. Holding more than Admin knows proves nothing: see _explain."""
    return held is not None and held.ver == row.ver and held.checksum == row.checksum


def _prove(arrived: list[Replication], held: dict[int, Held], lane: str) -> None:
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
    _log_proof(arrived, held)
    sent = [row.sent_at for row in arrived if row.sent_at]
    if sent:
        _raise_progress(lane, max(sent))


def _log_proof(arrived: list[Replication], held: dict[int, Held]) -> None:
    """Close the change log's open entries up to the proven ver: older ones were overtaken, not lost."""
    applied = {r.product_id: held[r.product_id].applied_at for r in arrived if held[r.product_id].applied_at}
    vers = {row.product_id: row.ver for row in arrived}
    db.session.execute(
        update(ProductChange)
        .where(
            ProductChange.product_id.in_(vers),
            ProductChange.proven_at.is_(None),
            ProductChange.ver <= case(vers, value=ProductChange.product_id),
        )
        .values(
            proven_at=utc_now(),
            applied_at=case(applied, value=ProductChange.product_id) if applied else None,
        )
        .execution_options(synchronize_session=False)
    )


def _explain(missing: list[Replication], held: dict[int, Held], proven_sent_at: datetime | None) -> None:
    """Note why a row is not proven, and count its attempt if one sent later in its lane arrived."""
    changed = []
    for row in missing:
        # An outage proves nothing, so it counts nothing.
        lost = bool(row.sent_at and proven_sent_at and row.sent_at < proven_sent_at)
        attempts, reason = row.attempts + lost, _reason(row, held.get(row.product_id))
        if (attempts, reason) != (row.attempts, row.last_error):
            state = STUCK if attempts >= STUCK_AFTER else row.state
            changed.append({"id": row.product_id, "v": row.ver, "n": attempts, "s": state, "e": reason})
    if changed:
        db.session.connection().execute(_NOTE, changed)


# With the ver: a product changed since the claim starts afresh.
_NOTE = (
    update(Replication)
    .where(Replication.product_id == bindparam("id"), Replication.ver == bindparam("v"))
    .values(attempts=bindparam("n"), state=bindparam("s"), last_error=bindparam("e"))
)


def _reason(row: Replication, held: Held | None) -> str | None:
    if held is None:
        return None
    if held.failure and held.failed_ver == row.ver:
        return held.failure[:MAX_ERROR]
    if held.ver > row.ver:
        return f"the Client holds a newer state ({held.ver}) than Admin ({row.ver}): was Admin restored from a backup?"
    if held.ver == row.ver:
        return "the Client holds other content at the same version"
    return None


def _proven_sent_at(lane: str) -> datetime | None:
    return db.session.execute(select(LaneProgress.proven_sent_at).filter_by(lane=lane)).scalar_one_or_none()


def _raise_progress(lane: str, sent_at: datetime) -> None:
    known = _proven_sent_at(lane)
    if known is None or sent_at > known:
        row = {"lane": lane, "proven_sent_at": sent_at}
        db.session.execute(upsert(LaneProgress, [row], lambda new: {"proven_sent_at": new.proven_sent_at}))
