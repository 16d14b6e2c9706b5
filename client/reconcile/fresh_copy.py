"""The fresh copy that a rebuild fills beside the live one, and the flag that tells A5 to write to both."""

import uuid
from datetime import UTC, datetime, timedelta

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from client.extensions import database
from client.products.documents import ProductCopy

NEXT = "products_next"
HOLD = timedelta(seconds=60)  # after this long without a step, whoever rebuilt is gone
_FLAG = "products"  # the id of the one document of ``rebuilds``


def collection() -> Collection:
    return database()[NEXT]


def written() -> list[Collection]:
    """Return the collections that A5 writes: the live copy, before it the fresh one while that is being filled.

    In this order a swap between the two writes loses nothing: the second one then meets what the first one wrote.
    """
    live = ProductCopy._get_collection()
    flag = _flags().find_one({"_id": _FLAG, "until": {"$gt": datetime.now(UTC)}, "swapped": False})
    return [collection(), live] if flag else [live]


def claim() -> str | None:
    """Raise the flag; return its token, None while another rebuild is under way."""
    token, now = uuid.uuid4().hex, datetime.now(UTC)
    free = {"_id": _FLAG, "$or": [{"until": {"$lt": now}}, {"until": {"$gt": now + 2 * HOLD}}]}
    try:
        _flags().update_one(free, {"$set": {"token": token, "until": now + HOLD, "swapped": False}}, upsert=True)
    except DuplicateKeyError:
        return None
    return token


def renew(token: str) -> bool:
    """Hold the flag for longer; return whether the caller still held it.

    Once it ran out, A5 has been writing the live copy alone, so the fresh one is worth nothing any more.
    """
    now = datetime.now(UTC)
    mine = {"_id": _FLAG, "token": token, "until": {"$gt": now}}
    return bool(_flags().update_one(mine, {"$set": {"until": now + HOLD}}).matched_count)


def note_swapped(token: str) -> None:
    """The fresh copy is the live one: A5 writes no other any more, and no rebuild begins before the end of this."""
    _flags().update_one({"_id": _FLAG, "token": token}, {"$set": {"swapped": True}})


def was_swapped(token: str) -> bool:
    return _flags().find_one({"_id": _FLAG, "token": token, "swapped": True}) is not None


def release(token: str) -> bool:
    """Lower the flag; return whether it was the caller's."""
    return bool(_flags().delete_one({"_id": _FLAG, "token": token}).deleted_count)


def _flags() -> Collection:
    return database()["rebuilds"]
