"""The console's lists of products, each with its sync state. Pages by keyset, so each costs the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select

from admin.catalogue import queries
from admin.catalogue.models import Product
from admin.catalogue.queries import Order, by_time
from admin.db.extensions import db
from admin.likes.queries import with_likes
from admin.outbox.models import FRESH, SENT, STUCK, Replication
from admin.reconcile.models import Drift
from contract.names import LANE_QUEUES
from web.http import cursors

# The sync state of a product.
IN_SYNC, PENDING, STUCK_ROW, DRIFTED = "in_sync", "pending", "stuck", "drift"

ALL, DELETED = "", "deleted"  # lists that are no sync state
LISTS = (ALL, IN_SYNC, PENDING, STUCK_ROW, DRIFTED, DELETED)

# These lists have one order only: the longest wait first.
_ORDERS = {
    PENDING: by_time(Replication.pending_since, Replication.product_id),
    STUCK_ROW: by_time(Replication.pending_since, Replication.product_id),
    DRIFTED: by_time(Drift.first_seen_at, Drift.product_id),
    DELETED: by_time(Product.deleted_at, Product.id, descending=True),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The products to show: a list of LISTS, search terms, a category. ``sort`` applies where the list has no order
    of its own.
    """

    listed: str = ALL
    q: str = ""
    category: str | None = None
    sort: str = "-updated_at"

    @property
    def order_name(self) -> str:
        return self.listed if self.listed in _ORDERS else self.sort

    @property
    def order(self) -> Order:
        return _ORDERS.get(self.listed) or queries.ORDERS[self.sort]


@dataclass(frozen=True, slots=True)
class Sync:
    """The sync state of a product as Admin knows it: ``since`` when it is out of sync, and the reason.

    ``attempts`` counts failed attempts; ``sent`` says whether it was sent and not verified yet.
    """

    state: str
    since: datetime | None = None
    reason: str | None = None
    attempts: int = 0
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One product of a list; ``product`` is None where only the Client has it."""

    id: int
    product: Product | None
    sync: Sync
    likes: int

    @property
    def deleted(self) -> bool:
        return self.product is not None and self.product.deleted_at is not None


@dataclass(frozen=True, slots=True)
class Lines:
    items: list[Line]
    next_cursor: str | None


def find(wanted: Wanted, limit: int, cursor: str | None) -> Lines:
    """Return a page of products. Raises BadCursorError."""
    position = cursors.decode(cursor, wanted.order_name)
    query = queries.matching(wanted.order.page(_select(wanted.listed), position), wanted.q, wanted.category)
    rows = _read(query.limit(limit + 1))
    more = len(rows) > limit
    return Lines(
        _lines(rows[:limit]), cursors.encode(wanted.order_name, _position(rows[limit - 1], wanted)) if more else None
    )


def some(product_ids: Sequence[int]) -> list[Line]:
    """Return products, deleted or not, as lists show them; those that never were are missing."""
    return _lines(_read(_select(None).where(Product.id.in_(product_ids)).order_by(Product.id)))


def one(product_id: int) -> Line | None:
    """Return one product, deleted or not; None when there never was one."""
    found = some([product_id])
    return found[0] if found else None


def counts() -> dict[str, int]:
    """Return how many products are pending, stuck and drifted."""
    pending = select(func.count()).select_from(Replication).where(Replication.pending_since.is_not(None))
    stuck = select(func.count()).select_from(Replication)
    stuck = stuck.where(Replication.lane.in_(LANE_QUEUES), Replication.state == STUCK)
    drift = select(func.count(Drift.confirmed_at))
    all_pending, stuck_ones, drifted = db.session.execute(
        select(pending.scalar_subquery(), stuck.scalar_subquery(), drift.scalar_subquery())
    ).one()
    db.session.rollback()
    return {PENDING: all_pending - stuck_ones, STUCK_ROW: stuck_ones, DRIFTED: drifted}


def _select(listed: str | None) -> Select[Any]:
    """Return the query of a list; None: of every product, deleted or not."""
    if listed == DRIFTED:  # at most a thousand rows; some products may exist at the Client only
        query = select(Drift.product_id, Product, Replication, Drift)
        query = query.outerjoin(Product, Product.id == Drift.product_id)
        query = query.outerjoin(Replication, Replication.product_id == Drift.product_id)
        return query.where(Drift.confirmed_at.is_not(None))
    query = select(Product.id, Product, Replication, Drift).join(Replication, Replication.product_id == Product.id)
    confirmed = and_(Drift.product_id == Product.id, Drift.confirmed_at.is_not(None))
    query = query.outerjoin(Drift, confirmed)
    if listed == PENDING:
        return query.where(Replication.pending_since.is_not(None), Replication.state.in_((FRESH, SENT)))
    if listed == STUCK_ROW:
        return query.where(Replication.lane.in_(LANE_QUEUES), Replication.state == STUCK)
    if listed == DELETED:
        return query.where(Product.deleted_at.is_not(None))
    if listed is not None:
        query = query.where(Product.deleted_at.is_(None))
    if listed == IN_SYNC:
        query = query.where(Replication.pending_since.is_(None), Drift.product_id.is_(None))
    return query


def _read(query: Select[Any]) -> Sequence[Row[Any]]:
    """Return the rows of ``query`` and end its transaction.

    The objects leave the session first. A rollback would expire them, so that each is read again, and a row that was
    deleted meanwhile, such as one of the drift, raises an error.
    """
    rows = db.session.execute(query).all()
    db.session.expunge_all()
    db.session.rollback()
    return rows


def _lines(rows: Sequence[Row[Any]]) -> list[Line]:
    with_likes([product for _id, product, _replication, _drift in rows if product])
    return [
        Line(product_id, product, _sync(replication, drift), product.likes if product else 0)
        for product_id, product, replication, drift in rows
    ]


def _sync(row: Replication | None, drift: Drift | None) -> Sync:
    """Return the sync state. Drift counts only while the product is not pending."""
    if row is not None and row.pending_since is not None:
        state = STUCK_ROW if row.state == STUCK else PENDING
        return Sync(state, row.pending_since, row.last_error, row.attempts, row.state != FRESH)
    if drift is not None:
        return Sync(DRIFTED, drift.first_seen_at, drift.kind)
    return Sync(IN_SYNC)


def _position(row: Row[Any], wanted: Wanted) -> list[Any]:
    product_id, product, replication, drift = row
    if wanted.listed in (PENDING, STUCK_ROW):
        value: Any = replication.pending_since
    elif wanted.listed == DRIFTED:
        value = drift.first_seen_at
    elif wanted.listed == DELETED:
        value = product.deleted_at
    else:
        value = getattr(product, wanted.sort.removeprefix("-"))
    return wanted.order.position(value, product_id)
