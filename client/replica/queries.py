"""Reads the copy for the shop: lists, search, one product."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog

from client.replica.content import FIELDS, id_of, problem_in
from client.replica.documents import ProductCopy
from client.replica.most_liked import read_most_liked
from client.replica.newest import read_newest, whole_id
from contract.search_terms import finds_nothing, query_terms
from web.http import cursors
from web.http.problems import ProblemError

NEWEST, MOST_LIKED = "-created_at", "-likes"
SORTS = (NEWEST, MOST_LIKED)
# Valid sort values: a malformed copy must neither end a list nor hide the products after it.
_NUMBER_ID: dict[str, Any] = {"$type": ["int", "long", "double"]}
_NUMBER_OF_LIKES: dict[str, Any] = {"$type": ["int", "long"], "$not": {"$type": "array"}}  # compared by its items
_RECENT = 500  # products that a search reads without an index before it asks by terms: a common word is among them

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
    position = cursors.decode(cursor, sort)
    if finds_nothing(q):
        return Page([], None)
    where: dict[str, Any] = {"deleted": False} | ({} if category is None else {"category": category})
    read = _newest_first if sort == NEWEST else _most_liked_first
    found = read(where, query_terms(q), position, limit + 1)
    if len(found) <= limit:
        return Page(valid_products(found), None)
    last = found[limit - 1]
    following = [whole_id(last)] if sort == NEWEST else [last["likes"], last["_id"]]
    return Page(valid_products(found[:limit]), cursors.encode(sort, following))


def _newest_first(
    where: dict[str, Any], terms: list[str], position: list[Any] | None, limit: int
) -> list[dict[str, Any]]:
    products, below = ProductCopy._get_collection(), position[-1] if position else None
    if not terms:
        return read_newest(products, where, below, limit)
    recent = read_newest(products, where, below, _RECENT, FIELDS | {"search_terms": 1})
    found = [document for document in recent if _has_terms(document, terms)]
    if len(found) >= limit or len(recent) < _RECENT:
        return found[:limit]
    older = {"_id": _NUMBER_ID | {"$lt": whole_id(recent[-1])}, "search_terms": _by_prefix(terms)}
    return found + list(products.find(where | older, FIELDS).sort("_id", -1).limit(limit - len(found)))


def _most_liked_first(
    where: dict[str, Any], terms: list[str], position: list[Any] | None, limit: int
) -> list[dict[str, Any]]:
    products = ProductCopy._get_collection()
    if not terms:
        return read_most_liked(products, where, (position[0], position[1]) if position else None, limit)
    where = where | {"_id": _NUMBER_ID, "likes": _NUMBER_OF_LIKES, "search_terms": _by_prefix(terms)}
    if position:
        likes, product_id = position
        where["$or"] = [{"likes": {"$lt": likes}}, {"likes": likes, "_id": {"$lt": product_id}}]
    return list(products.find(where, FIELDS).sort([("likes", -1), ("_id", -1)]).limit(limit))


def _by_prefix(terms: list[str]) -> dict[str, Any]:
    return {"$all": [re.compile(f"^{re.escape(term)}") for term in terms]}


def _has_terms(document: dict[str, Any], terms: list[str]) -> bool:
    """Return whether each of ``terms`` is the beginning of one of the document's, as ``_by_prefix`` asks the store."""
    stored = document.get("search_terms")
    words = [word for word in stored if isinstance(word, str)] if isinstance(stored, list) else []
    return all(any(word.startswith(term) for word in words) for term in terms)


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
    last = read_newest(ProductCopy._get_collection(), {"deleted": False}, None, 1)
    return id_of(last[0]) if last else None
