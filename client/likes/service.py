"""L1: a like is one atomic write; telling anyone about it comes afterwards, in the background."""

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


def set_like(product_id: int, user: str, liked: bool, rest: timedelta = timedelta()) -> ProductCopy:
    """Set or clear ``user``'s like; doing so again changes nothing. Returns the product.

    A like that changed less than ``rest`` ago stays as it is. Raises ProductNotFoundError, ProductGoneError.
    """
    product = get_product(product_id)
    if _toggle(product_id, user, liked, rest):
        announcer().offer(product_id)
    return product


def take_back_all(user: str) -> int:
    """Take the next of ``user``'s likes back, some hundred at once, whatever their products are; return how many.

    For the erasure of an account: the likes stay as documents, so that Admin is told.
    """
    likes, mine = Like._get_collection(), {"user": user, "liked": True}
    ids = [like["_id"] for like in likes.find(mine, {"_id": 1}).limit(ERASED_AT_ONCE)]
    update_each(ids, {"liked": True}, changed(False, datetime.now(UTC)))
    return len(ids)


def _toggle(product_id: int, user: str, liked: bool, rest: timedelta = timedelta()) -> bool:
    """Return whether this call changed the state. The filter makes a second click, or a replay, a no-op."""
    now = datetime.now(UTC)
    change = changed(liked, now)
    change["$set"] |= {"product": product_id, "user": user}
    where: dict[str, Any] = {"_id": like_id(product_id, user), "liked": {"$ne": True} if liked else True}
    if rest:  # a time that is yet to come was written by a host whose clock is ahead
        where["at"] = {"$not": {"$gt": now - rest, "$lte": now}}
    try:
        # Only a like may create the document: an unlike of nothing is nothing.
        result = Like._get_collection().update_one(where, change, upsert=liked)
    except DuplicateKeyError:
        return False  # liked already, or by a second click at this moment
    changed_now = bool(result.modified_count or result.upserted_id)
    if changed_now:
        log.info("like stored", product=product_id, user=user, liked=liked)
    return changed_now
