"""Repairs differences that ``likes diff`` found. A like that changed since is left as it is."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo import UpdateOne

from client.likes.diff import DIFFERENT, Difference
from client.likes.documents import Like, adopted, like_id, pending_again
from client.replica.documents import ProductCopy
from client.store import bulk_write
from contract.messages import LikeChanged
from contract.service_calls import StoredLike


def repair(differences: Sequence[Difference]) -> int:
    """Make both sides equal, the higher revision of each like winning; return how many were repaired.

    A like that is newer at the Client becomes pending; one that is newer at Admin is copied. A like of a product that
    the Client does not have yet is repaired once the product arrived.
    """
    now = datetime.now(UTC)
    products = {difference.product for difference in differences}
    here = set(ProductCopy._get_collection().distinct("_id", {"_id": {"$in": list(products)}}))
    writes = [_write(difference, now) for difference in differences if difference.here or difference.product in here]
    if not writes:
        return 0
    result = bulk_write(Like._get_collection(), writes)
    return int(result.matched_count + result.upserted_count)


def _write(difference: Difference, now: datetime) -> UpdateOne:
    here, there = difference.here, difference.there
    key = like_id(difference.product, difference.user)
    if here is None:
        assert there is not None  # noqa: S101 - a difference has a side
        return UpdateOne({"_id": key}, {"$setOnInsert": _new(there)}, upsert=True)
    seen = {"_id": key, "revision": here.revision, "pending": {"$ne": True}}
    if there is not None and there.like.revision > here.revision:
        return UpdateOne(seen, adopted(there.like.revision, there.like.liked, there.received_at))
    change = pending_again(now)
    if difference.kind == DIFFERENT:  # equal revisions: this side wins, because shoppers like here
        change["$inc"] = {"revision": 1}
    return UpdateOne(seen, change)


def _new(there: StoredLike) -> dict[str, object]:
    """Return the document of a like that only Admin stored."""
    like: LikeChanged = there.like
    state = {"product": like.product, "user": like.user, "liked": like.liked, "revision": like.revision}
    return {**state, "at": there.received_at, "uncounted": True}
