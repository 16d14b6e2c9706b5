"""Stores a like by one atomic write; counting and forwarding follow in the background."""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import structlog
from pymongo.errors import DuplicateKeyError

from client.likes.announcer import announcer
from client.likes.documents import Like, changed, like_id, update_each
from client.likes.queries import NOT_MINE, mine
from client.replica.queries import get_product

log = structlog.get_logger(__name__)

ERASED_AT_ONCE = 500
DOUBLE_CLICK = timedelta(milliseconds=500)  # as on the pages (likes.js)


def set_like(product_id: int, user: str, liked: bool, debounce: timedelta = timedelta()) -> int:
    """Set or clear ``user``'s like; return the product's likes, in which this one is counted already.

    Repeating it changes nothing. A like that changed less than ``debounce`` ago is not changed. Raises
    ProductNotFoundError, ProductGoneError.
    """
    product = get_product(product_id)
    change = _toggle(product_id, user, liked, debounce)
    if change:
        announcer().offer(product_id)
    if change == Change.CREATED:
        return int(product.likes) + 1
    return int(product.likes) + mine([product_id], user).get(product_id, NOT_MINE).uncounted


def unlike_all(user: str) -> int:
    """Clear the next ERASED_AT_ONCE likes of ``user``, deleted products' too; return how many.

    Used when an account is erased. The documents stay as pending unlikes, which are forwarded to Admin.
    """
    likes, mine = Like._get_collection(), {"user": user, "liked": True}
    ids = [like["_id"] for like in likes.find(mine, {"_id": 1}).limit(ERASED_AT_ONCE)]
    update_each(ids, {"liked": True}, changed(False, datetime.now(UTC)))
    return len(ids)


class Change(IntEnum):
    """What a call did to a like."""

    NONE, CHANGED, CREATED = range(3)


def _toggle(product_id: int, user: str, liked: bool, debounce: timedelta = timedelta()) -> Change:
    """Change a like. The filter makes a repeated call a no-op."""
    now = datetime.now(UTC)
    change = changed(liked, now)
    change["$set"] |= {"product": product_id, "user": user}
    where: dict[str, Any] = {"_id": like_id(product_id, user), "liked": {"$ne": True} if liked else True}
    if debounce:  # a time in the future was written by a host whose clock is ahead
        where["at"] = {"$not": {"$gt": now - debounce, "$lte": now}}
    try:
        # Only a like creates the document.
        result = Like._get_collection().update_one(where, change, upsert=liked)
    except DuplicateKeyError:
        return Change.NONE  # already liked, or by a concurrent call
    if not (result.modified_count or result.upserted_id):
        return Change.NONE
    log.info("like stored", product=product_id, user=user, liked=liked)
    return Change.CREATED if result.upserted_id else Change.CHANGED
