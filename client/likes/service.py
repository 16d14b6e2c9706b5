"""L1: a like is one atomic write; telling anyone about it comes afterwards, in the background."""

import time
from datetime import UTC, datetime

from flask import Flask, current_app
from pymongo.errors import DuplicateKeyError

from client.likes.documents import Like, like_id
from client.products.documents import ProductCopy
from client.products.queries import get_product
from tasks import names
from tasks.background import Background
from tasks.publisher import Publisher

SETTLE_SECONDS = 0.05  # between two announcements: a burst of likes makes few tasks
_EXPIRES = 60  # seconds; the sweep says the same again


def set_like(product_id: int, user: str, liked: bool) -> ProductCopy:
    """Set or clear ``user``'s like; doing so again changes nothing. Returns the product.

    Raises ProductNotFoundError, ProductGoneError.
    """
    product = get_product(product_id)
    if _toggle(product_id, user, liked):
        current_app.extensions["likes_announcer"].offer([product_id])
    return product


def is_liked(product_id: int, user: str) -> bool:
    return Like.objects(id=like_id(product_id, user), liked=True).first() is not None


def _toggle(product_id: int, user: str, liked: bool) -> bool:
    """Return whether this call changed the state. The filter makes a second click, or a replay, a no-op."""
    change = {
        "$set": {
            "product": product_id,
            "user": user,
            "liked": liked,
            "at": datetime.now(UTC),
            "pending": True,
            "uncounted": True,
        },
        "$unset": {"parked": ""},
        "$inc": {"rev": 1},
    }
    where = {"_id": like_id(product_id, user), "liked": {"$ne": True} if liked else True}
    try:
        # Only a like may create the document: an unlike of nothing is nothing.
        result = Like._get_collection().update_one(where, change, upsert=liked)
    except DuplicateKeyError:
        return False  # liked already, or by a second click at this moment
    return bool(result.modified_count or result.upserted_id)


def init_likes_announcer(app: Flask) -> None:
    """Give this web process its background announcer of likes."""
    publisher = Publisher()

    def announce(_products: list[int]) -> None:
        publisher.publish(names.FORWARD_LIKES, [], names.QUEUE_LIKES, expires=_EXPIRES)
        time.sleep(SETTLE_SECONDS)

    app.extensions["likes_announcer"] = Background("likes announcer", announce, batch=10_000)
