"""Reads Admin's side of a comparison from the products' content, so that edits outside Lockstep show."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, cast

from sqlalchemy import Row, Select, func, select

from admin.catalogue.messages import message_of
from admin.catalogue.models import CONTENT_FIELDS, Product
from admin.db.extensions import db
from admin.outbox.models import Replication, SyncState
from contract.digests import Entry
from contract.messages import ProductChanged
from contract.versions import compose

CHUNK = 1_000  # rows in memory at once


class Own(NamedTuple):
    """A product as Admin stores it. ``pending``: its outbox row is pending, so the Client may lack this state."""

    message: ProductChanged
    sku: str
    pending: bool

    @property
    def entry(self) -> Entry:
        return Entry(self.message.id, self.message.sequence, self.message.checksum)


def stream(after: int, upto: int) -> Iterator[Own]:
    """Yield the products with ids in (after, upto], deleted ones too, by id. Holds no transaction open meanwhile."""
    while rows := _read(_QUERY.where(Product.id > after, Product.id <= upto).limit(CHUNK)):
        db.session.rollback()
        yield from rows
        after = rows[-1].message.id


def listed(product_ids: Sequence[int]) -> dict[int, Own]:
    """Return those of ``product_ids`` that Admin ever had."""
    chunks = (product_ids[start : start + CHUNK] for start in range(0, len(product_ids), CHUNK))
    found = chain.from_iterable(read(chunk) for chunk in chunks)
    own = {own.message.id: own for own in found}
    db.session.rollback()
    return own


def read(product_ids: Sequence[int]) -> list[Own]:
    """Return those of ``product_ids``, at most CHUNK, that Admin ever had, in the open transaction."""
    return _read(_QUERY.where(Product.id.in_(product_ids)))


def highest_id() -> int:
    found = db.session.execute(select(func.max(Product.id))).scalar_one() or 0
    db.session.rollback()
    return found


def live() -> int:
    """Return how many products are not deleted."""
    found = db.session.execute(select(func.count()).where(Product.deleted_at.is_(None))).scalar_one()
    db.session.rollback()
    return found


_COLUMNS = ("id", *CONTENT_FIELDS, "created_at", "updated_at", "deleted_at", "version")
# An outer join, because a product inserted by hand has no outbox row, which a comparison has to find. One statement,
# so that content and sequence are of one moment.
_QUERY: Select[Any] = (
    select(*(getattr(Product, name) for name in _COLUMNS), Replication.sequence, Replication.pending_since)
    .join(Replication, Replication.product_id == Product.id, isouter=True)
    .order_by(Product.id)
)


def _read(query: Select[Any]) -> list[Own]:
    rows = db.session.execute(query).all()
    return [_own(row, _first_sequence(row) if row.sequence is None else row.sequence) for row in rows]


def _own(row: Row[Any], sequence: int) -> Own:
    product = cast("Product", row)  # has the same attributes, without the cost of mapped objects
    return Own(message_of(product, sequence), row.sku, row.pending_since is not None)


def _first_sequence(row: Row[Any]) -> int:
    """Return the sequence with which a product without an outbox row will be sent."""
    return compose(db.session.execute(select(SyncState.epoch)).scalar_one(), row.version)
