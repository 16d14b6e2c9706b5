"""Parked likes, which Admin refused, each with a reason; and retrying them."""

from datetime import UTC, datetime

from client.likes.documents import Like, pending_again, update_each

STEP = 1_000
PARKED = {"parked": {"$gt": ""}}  # uses the sparse index


def retry(after: str = "") -> tuple[int, str | None]:
    """Make the next STEP parked likes pending again; return how many, and the id to continue after, None at the end.

    Continuing by id, one pass retries each like once, even if Admin refuses it again meanwhile.
    """
    likes = Like._get_collection()
    found = likes.find({**PARKED, "_id": {"$gt": after}}, {"_id": 1}).sort("_id", 1).limit(STEP)
    ids = [like["_id"] for like in found]
    retried = update_each(ids, PARKED, pending_again(datetime.now(UTC)))
    return retried, ids[-1] if len(ids) == STEP else None


def reasons() -> dict[str, int]:
    """Return how many likes are parked, by reason."""
    groups = [{"$match": PARKED}, {"$group": {"_id": "$parked", "likes": {"$sum": 1}}}]
    return {group["_id"]: group["likes"] for group in Like._get_collection().aggregate(groups)}
