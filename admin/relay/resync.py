"""Resync: makes products pending, so that the relay sends them again where the Client's copy is not equal.

The relay asks the Client first: it verifies equal copies without sending, and repairs copies of the same version with
other content. The caller need not wait for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, update

from admin.catalogue.models import Product
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from admin.outbox import outbox
from admin.outbox.models import STUCK, ProductChange, Replication
from contract.names import BULK, INTERACTIVE, LANE_QUEUES

CHUNK = 1_000  # products per transaction


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects products; each given field narrows the selection, and without any it is all. Times are UTC, naive."""

    ids: Sequence[int] = ()
    skus: Sequence[str] = ()
    first_id: int | None = None
    last_id: int | None = None
    changed_since: datetime | None = None
    changed_until: datetime | None = None
    stuck: bool = False

    def query(self) -> Select[tuple[int]]:
        """Return the query of the selected ids, in ascending order."""
        query = select(Replication.product_id).order_by(Replication.product_id)
        if self.ids:
            query = query.where(Replication.product_id.in_(self.ids))
        if self.skus:
            query = query.where(Replication.product_id.in_(select(Product.id).where(Product.sku.in_(self.skus))))
        if self.first_id is not None:
            query = query.where(Replication.product_id >= self.first_id)
        if self.last_id is not None:
            query = query.where(Replication.product_id <= self.last_id)
        if self.stuck:
            query = query.where(Replication.lane.in_(LANE_QUEUES), Replication.state == STUCK)
        if self.changed_since or self.changed_until:
            query = query.where(Replication.product_id.in_(self._changed()))
        return query

    def _changed(self) -> Select[tuple[int]]:
        changes = select(ProductChange.product_id)
        if self.changed_since:
            changes = changes.where(ProductChange.changed_at >= self.changed_since)
        if self.changed_until:
            changes = changes.where(ProductChange.changed_at <= self.changed_until)
        return changes


def count(selection: Selection) -> int:
    """Return how many products are selected."""
    total: int = db.session.execute(select(func.count()).select_from(selection.query().subquery())).scalar_one()
    db.session.rollback()
    return total


def mark_pending(selection: Selection, progress: Callable[[int], None] = lambda _done: None) -> int:
    """Make the selected products pending, a chunk per transaction; return their number.

    ``progress`` is called with the number so far. Repeating it after an interruption is harmless. Products that are
    selected by id or sku use the interactive lane, so they are sent before imports.
    """
    done, last_id = 0, 0
    while ids := _mark_and_commit(selection, last_id):
        done, last_id = done + len(ids), ids[-1]
        progress(done)
    return done


@retry_deadlocks
def _mark_and_commit(selection: Selection, after: int) -> list[int]:
    ids = mark_chunk(selection, after)
    db.session.commit()
    return ids


def mark_chunk(selection: Selection, after: int, limit: int = CHUNK) -> list[int]:
    """Make the next ``limit`` selected products above ``after`` pending; return their ids. The caller commits."""
    ids = list(db.session.execute(selection.query().where(Replication.product_id > after).limit(limit)).scalars())
    if ids:
        lane = INTERACTIVE if selection.ids or selection.skus else BULK
        now = db.session.execute(select(utc_now())).scalar_one()
        db.session.execute(
            update(Replication).where(Replication.product_id.in_(ids)).values(**outbox.pending_again(now, lane))
        )
    return ids


def count_pending(since: datetime) -> int:
    """Return how many products that were pending at ``since`` are not verified yet."""
    query = select(func.count()).select_from(Replication).where(Replication.pending_since <= since)
    left: int = db.session.execute(query).scalar_one()
    db.session.rollback()
    return left
