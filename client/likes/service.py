"""Stores a like by one atomic write; counting and forwarding follow in the background."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo.errors import DuplicateKeyError

from client.likes.announcer import announcer
from client.likes.documents import Like, changed, like_id, update_each
from client.replica.documents import ProductCopy
from client.replica.queries import get_product

log = structlog.get_logger(__name__)

ERASED_AT_ONCE = 500
DOUBLE_CLICK = timedelta(milliseconds=500)  # as on the pages (likes.js)


def set_like(product_id: int, user: str, liked: bool, debounce: timedelta = timedelta()) -> ProductCopy:
    """Set or clear ``user``'s like and return the product. Repeating it changes nothing.

    A like that changed less than ``debounce`` ago is not changed. Raises ProductNotFoundError, ProductGoneError.
    """
    product = get_product(product_id)
    if _toggle(product_id, user, liked, debounce):
        announcer().offer(product_id)
    return product


def unlike_all(user: str) -> int:
    """Clear the next ERASED_AT_ONCE likes of ``user``, deleted products' too; return how many.

    Used when an account is erased. The documents stay as pending unlikes, which are forwarded to Admin.
    """
    likes, mine = Like._get_collection(), {"user": user, "liked": True}
    ids = [like["_id"] for like in likes.find(mine, {"_id": 1}).limit(ERASED_AT_ONCE)]
    update_each(ids, {"liked": True}, changed(False, datetime.now(UTC)))
    return len(ids)


def _toggle(product_id: int, user: str, liked: bool, debounce: timedelta = timedelta()) -> bool:
    """Return whether this call changed the state. The filter makes a repeated call a no-op."""
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
        return False  # already liked, or by a concurrent call
    changed_now = bool(result.modified_count or result.upserted_id)
    if changed_now:
        log.info("like stored", product=product_id, user=user, liked=liked)
    return changed_now
