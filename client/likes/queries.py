"""Reads shoppers' likes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from client.likes.documents import Like, like_id
from client.replica.documents import ProductCopy
from client.replica.queries import live_products
from contract.messages import format_time, parse_time
from web.http import cursors

_SORT = "-liked_at"  # in the cursors of this list


@dataclass(frozen=True, slots=True)
class MyLike:
    """A shopper's like; ``product`` is None when it is deleted."""

    id: int
    liked_at: datetime
    product: ProductCopy | None


@dataclass(frozen=True, slots=True)
class LikesPage:
    items: list[MyLike]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Mine:
    """A shopper's like of a product; ``uncounted`` (-1, 0, 1) is to be added to its count."""

    liked: bool
    uncounted: int


NOT_MINE = Mine(False, 0)


def mine(product_ids: Iterable[int], user: str) -> dict[int, Mine]:
    """Return ``user``'s likes of these products, cleared ones too, by one query."""
    ids = [like_id(product_id, user) for product_id in product_ids]
    wanted = {"product": 1, "liked": 1, "counted": 1}
    found = Like._get_collection().find({"_id": {"$in": ids}}, wanted)
    return {like["product"]: Mine(like["liked"], like["liked"] - like.get("counted", False)) for like in found}


def my_likes(user: str, limit: int, cursor: str | None) -> LikesPage:
    """Return one page of ``user``'s likes, the latest first. Raises BadCursorError."""
    where: dict[str, Any] = {"user": user, "liked": True}
    if position := cursors.decode(cursor, _SORT):
        at = parse_time(position[0])
        where["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": position[1]}}]
    found = list(Like.objects(__raw__=where).order_by("-at", "-id").limit(limit + 1))
    likes, more = found[:limit], len(found) > limit
    products = {product.id: product for product in live_products([like.product for like in likes])}
    items = [MyLike(like.product, like.at, products.get(like.product)) for like in likes]
    return LikesPage(items, cursors.encode(_SORT, [format_time(likes[-1].at), likes[-1].id]) if more else None)
