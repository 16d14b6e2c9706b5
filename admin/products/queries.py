"""Reading the catalogue: lists by keyset, search, category."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select

from admin.extensions import db
from admin.likes.models import LikeCount
from admin.products.models import Product
from tasks.messages import format_time
from web import cursors


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Product]
    next_cursor: str | None


def list_products(limit: int, cursor: str | None, q: str, category: str | None, sort: str) -> Page:
    """Return one page of live products, each with ``likes`` set. Raises BadCursorError."""
    query = select(Product).where(Product.deleted_at.is_(None))
    if category is not None:
        query = query.where(Product.category == category)
    for word in q.split():
        # autoescape: a '%' typed by a person is a percent sign
        query = query.where(
            or_(Product.title.icontains(word, autoescape=True), Product.sku.istartswith(word, autoescape=True))
        )
    query = _after(query, sort, cursors.decode(cursor, sort))
    found = list(db.session.execute(query.limit(limit + 1)).scalars())
    items = with_likes(found[:limit])
    more = len(found) > limit
    return Page(items, cursors.encode(sort, _position(items[-1], sort)) if more else None)


def with_likes(products: list[Product]) -> list[Product]:
    """Set ``likes`` on each: the count of Admin's own like set."""
    query = select(LikeCount.product_id, LikeCount.likes).where(LikeCount.product_id.in_([p.id for p in products]))
    counts = dict(db.session.execute(query).tuples().all()) if products else {}
    for product in products:
        product.likes = counts.get(product.id, 0)  # type: ignore[attr-defined]
    return products


def _after(query: Select[Any], sort: str, position: list[Any] | None) -> Select[Any]:
    """Order by ``sort`` and start after ``position``. The sku is unique among live products; times are not."""
    if sort == "sku":
        query = query.order_by(Product.live_sku)
        return query.where(Product.live_sku > position[0]) if position else query
    descending = sort.startswith("-")
    order = (Product.updated_at.desc(), Product.id.desc()) if descending else (Product.updated_at, Product.id)
    if position:
        at, last_id = datetime.fromisoformat(position[0]).replace(tzinfo=None), position[1]
        newer = Product.updated_at < at if descending else Product.updated_at > at
        beside = Product.id < last_id if descending else Product.id > last_id
        query = query.where(or_(newer, and_(Product.updated_at == at, beside)))
    return query.order_by(*order)


def _position(product: Product, sort: str) -> list[Any]:
    return [product.sku] if sort == "sku" else [format_time(product.updated_at), product.id]
