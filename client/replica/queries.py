"""Reads the copy for the shop: lists, search, one product."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog

from client.replica.content import FIELDS, id_of, problem_in
from client.replica.documents import ProductCopy
from contract.messages import format_time, parse_time
from contract.search_terms import finds_nothing, query_terms
from web.http import cursors
from web.http.problems import ProblemError

SORTS = {"-created_at": "created_at", "-likes": "likes"}
# Valid sort values: a malformed copy must neither end a list nor hide the products after it.
_SORTABLE: dict[str, dict[str, Any]] = {
    "_id": {"$type": ["int", "long", "double"]},
    "created_at": {
        "$gte": datetime(1, 1, 1, tzinfo=UTC),
        "$lt": datetime(9999, 12, 31, tzinfo=UTC),
        "$not": {"$type": "array"},  # an array is compared by its items
    },
    "likes": {"$type": ["int", "long"], "$not": {"$type": "array"}},
}

log = structlog.get_logger(__name__)


class ProductNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class ProductGoneError(ProblemError):
    status = HTTPStatus.GONE


@dataclass(frozen=True, slots=True)
class Page:
    items: list[ProductCopy]
    next_cursor: str | None


def get_product(product_id: int) -> ProductCopy:
    """Return a live product. Raises ProductNotFoundError where it is unknown, ProductGoneError where it is deleted."""
    found = ProductCopy._get_collection().find_one({"_id": product_id}, FIELDS)
    product = next(iter(valid_products([found])), None) if found else None
    if product is None:
        raise ProductNotFoundError(f"There is no product {product_id}, or it has not arrived yet.")
    if product.deleted:
        raise ProductGoneError(f"Product {product_id} was deleted.")
    return product


def list_products(limit: int, cursor: str | None, q: str, category: str | None, sort: str) -> Page:
    """Return one page of live products, empty where ``q`` has no letter or digit. Raises BadCursorError."""
    position, field = cursors.decode(cursor, sort), SORTS[sort]
    if finds_nothing(q):
        return Page([], None)
    where: dict[str, Any] = {"deleted": False, "_id": _SORTABLE["_id"], field: _SORTABLE[field]}
    if category is not None:
        where["category"] = category
    if terms := query_terms(q):
        where["search_terms"] = {"$all": [re.compile(f"^{re.escape(term)}") for term in terms]}
    if position:
        value = parse_time(position[0]) if field == "created_at" else position[0]
        where["$or"] = [{field: {"$lt": value}}, {field: value, "_id": {"$lt": position[1]}}]
    query = ProductCopy._get_collection().find(where, FIELDS).sort([(field, -1), ("_id", -1)])
    found = list(query.limit(limit + 1))
    more = len(found) > limit
    return Page(
        valid_products(found[:limit]), cursors.encode(sort, _position(found[limit - 1], field)) if more else None
    )


def live_products(product_ids: list[int]) -> list[ProductCopy]:
    """Return those of these products that are live."""
    where = {"_id": {"$in": product_ids}, "deleted": False}
    return valid_products(ProductCopy._get_collection().find(where, FIELDS))


def valid_products(documents: Iterable[dict[str, Any]]) -> list[ProductCopy]:
    """Return the products of ``documents``, read with FIELDS, without malformed ones, which the relay repairs."""
    products = []
    for document in documents:
        if problem := problem_in(document):
            log.warning("malformed copy left out", product_id=str(document["_id"]), problem=problem)
        else:
            products.append(ProductCopy._from_son(document))
    return products


def categories() -> list[str]:
    """Return the categories that have live products, by name."""
    found = ProductCopy._get_collection().distinct("category", {"deleted": False})
    return sorted((name for name in found if name and isinstance(name, str)), key=str.casefold)


def newest() -> int | None:
    """Return the id of the newest product, None in an empty shop."""
    where = {"deleted": False, "created_at": _SORTABLE["created_at"]}
    last = ProductCopy._get_collection().find_one(where, {"_id": 1}, sort=[("created_at", -1), ("_id", -1)])
    return id_of(last) if last else None


def _position(document: dict[str, Any], field: str) -> list[Any]:
    value = document[field]
    return [format_time(value) if isinstance(value, datetime) else value, document["_id"]]
