"""What shoppers read: lists by keyset, search, one product."""

import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from client.products.documents import ProductCopy
from tasks.messages import format_time, parse_time
from web import cursors
from web.problems import ProblemError
from web.words import finds_nothing, query_terms

SORTS = {"-created_at": "created_at", "-likes": "likes"}


class ProductNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class ProductGoneError(ProblemError):
    status = HTTPStatus.GONE


@dataclass(frozen=True, slots=True)
class Page:
    items: list[ProductCopy]
    next_cursor: str | None


def get_product(product_id: int) -> ProductCopy:
    """Return a live product. Raises ProductNotFoundError (not here, or not yet), ProductGoneError (deleted)."""
    product = ProductCopy.objects(id=product_id).first()
    if product is None:
        raise ProductNotFoundError(f"There is no product {product_id}, or it has not arrived yet.")
    if product.deleted:
        raise ProductGoneError(f"Product {product_id} was deleted.")
    return product  # type: ignore[no-any-return]


def list_products(limit: int, cursor: str | None, q: str, category: str | None, sort: str) -> Page:
    """Return one page of live products; none where ``q`` holds signs alone. Raises BadCursorError."""
    position = cursors.decode(cursor, sort)
    if finds_nothing(q):
        return Page([], None)
    where: dict[str, Any] = {"deleted": False}
    if category is not None:
        where["category"] = category
    if words := query_terms(q):
        where["words"] = {"$all": [re.compile(f"^{re.escape(word)}") for word in words]}
    field = SORTS[sort]
    if position:
        value = parse_time(position[0]) if field == "created_at" else position[0]
        where["$or"] = [{field: {"$lt": value}}, {field: value, "_id": {"$lt": position[1]}}]
    found = list(ProductCopy.objects(__raw__=where).order_by(f"-{field}", "-id").limit(limit + 1))
    items = found[:limit]
    more = len(found) > limit
    return Page(items, cursors.encode(sort, _position(items[-1], field)) if more else None)


def living(product_ids: list[int]) -> list[ProductCopy]:
    """Return those of these products that are there, with what changes by itself: version and likes."""
    return list(ProductCopy.objects(id__in=product_ids, deleted=False).only("id", "ver", "likes"))


def categories() -> list[str]:
    """Return the categories that have live products, by name."""
    found = ProductCopy._get_collection().distinct("category", {"deleted": False})
    return sorted((name for name in found if name), key=str.casefold)


def newest() -> int | None:
    """Return the id of the product that came last, None in an empty shop."""
    last = ProductCopy.objects(deleted=False).order_by("-created_at", "-id").only("id").first()
    return last.id if last else None


def _position(product: ProductCopy, field: str) -> list[Any]:
    value = getattr(product, field)
    return [format_time(value) if isinstance(value, datetime) else value, product.id]
