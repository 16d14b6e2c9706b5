"""Reads the catalogue: pages by keyset, with search and category."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, or_, select

from admin.catalogue import search_terms
from admin.catalogue.models import Product
from admin.db.extensions import db
from contract.messages import format_time
from web.http import cursors


@dataclass(frozen=True, slots=True)
class Order:
    """A total order for keyset pages: by ``column``, then by ``tie`` unless the column is unique.

    ``encode`` and ``decode`` convert the column's values to and from JSON, for cursors. ``index`` is the index of
    ``products`` from which a page is read.
    """

    column: Any
    tie: Any | None
    descending: bool = False
    encode: Callable[[Any], Any] = str
    decode: Callable[[Any], Any] = str
    index: str | None = None

    def page(self, query: Select[Any], position: list[Any] | None) -> Select[Any]:
        """Order ``query`` and start after ``position``, the sort values of the last row seen."""
        if self.index:  # without the hint MariaDB reads from the first page on
            query = query.with_hint(Product, f"FORCE INDEX ({self.index})", "mysql")
        if position:
            value, last = self.decode(position[0]), position[1]
            further = self.column < value if self.descending else self.column > value
            if self.tie is not None:
                upto = self.column <= value if self.descending else self.column >= value
                beside = self.tie < last if self.descending else self.tie > last
                further = and_(upto, or_(further, beside))  # one range of the index, which every database seeks
            query = query.where(further)
        elif not self.descending:
            query = query.where(self.column.is_not(None))  # rows without a value sort first and are in no list
        columns = [self.column] if self.tie is None else [self.column, self.tie]
        return query.order_by(*(column.desc() if self.descending else column for column in columns))

    def position(self, value: Any, tie: int) -> list[Any]:
        """Return the position of a row, for a cursor."""
        return [self.encode(value), tie]


def by_time(column: Any, tie: Any, descending: bool = False, index: str | None = None) -> Order:
    """Return the order by a time; cursors contain it as RFC 3339."""
    return Order(column, tie, descending, format_time, _moment, index)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


_BY_PRICE = Order(Product.price, Product.id, decode=Decimal, index="ix_products_live_price")
_BY_UPDATE = by_time(Product.updated_at, Product.id, index="ix_products_live_updated")
ORDERS = {
    "id": Order(Product.id, None, encode=int, decode=int, index="ix_products_deleted"),
    "-updated_at": replace(_BY_UPDATE, descending=True),
    "updated_at": _BY_UPDATE,
    "sku": Order(Product.live_sku, None, index="live_sku"),
    "title": Order(Product.title, Product.id, index="ix_products_live_title"),
    "price": _BY_PRICE,
    "-price": replace(_BY_PRICE, descending=True),
}


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Product]
    next_cursor: str | None


def list_products(limit: int, cursor: str | None, q: str, category: str | None, sort: str) -> Page:
    """Return one page of live products. Raises BadCursorError."""
    query = ORDERS[sort].page(select(Product).where(Product.deleted_at.is_(None)), cursors.decode(cursor, sort))
    query = matching(query, q, category)
    found = list(db.session.execute(query.limit(limit + 1)).scalars())
    items = found[:limit]
    more = len(found) > limit
    return Page(items, cursors.encode(sort, position(items[-1], sort)) if more else None)


def matching(query: Select[Any], q: str, category: str | None) -> Select[Any]:
    """Narrow a page of products to those with every word of ``q``, in ``category``. May run a query itself."""
    if category is not None:
        query = query.where(Product.category == category).with_hint(
            Product, "", "mysql"
        )  # no forced index: the category has its own
    return search_terms.narrow(query, q)


def position(product: Product, sort: str) -> list[Any]:
    """Return the position of ``product`` in the order ``sort``, for a cursor."""
    return ORDERS[sort].position(getattr(product, sort.removeprefix("-")), product.id)


def with_content(content: dict[str, Any]) -> Product | None:
    """Return the live product with exactly this validated content, if any."""
    query = select(Product).where(Product.live_sku == content["sku"])
    for name, value in content.items():
        query = query.where(getattr(Product, name) == value)
    return db.session.execute(query).scalar_one_or_none()


def categories(limit: int = 500) -> list[str]:
    """Return the categories of live products, in order."""
    query = select(Product.category).where(Product.deleted_at.is_(None)).group_by(Product.category)
    return list(db.session.execute(query.order_by(Product.category).limit(limit)).scalars())
