"""L6: take over Admin's outcomes, each only where the like still has the revision that was sent."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pymongo import UpdateMany, UpdateOne

from client.leases import patient_lease
from client.likes import count
from client.likes.documents import SETTLED, Like, adopted, like_id
from client.store import bulk_write, portions
from contract.messages import LikeChanged
from contract.service_calls import APPLIED, GONE, SUPERSEDED, UNKNOWN, LikeOutcome

_REASONS = {GONE: "the product is gone", UNKNOWN: "Admin does not know the product"}


def settle(likes: Sequence[LikeChanged], outcomes: Sequence[LikeOutcome]) -> None:
    """Clear, park, adopt or raise each like. A lost or repeated answer changes nothing that is already right."""
    settled: dict[int, list[str]] = defaultdict(list)
    writes: list[UpdateOne | UpdateMany] = []
    for like, outcome in zip(likes, outcomes, strict=True):
        key = like_id(like.product, like.user)
        if outcome.outcome == APPLIED or (outcome.outcome == SUPERSEDED and _is_same(like, outcome)):
            settled[like.revision].append(key)
        elif outcome.outcome == SUPERSEDED:
            writes += _admin_is_ahead(key, like, outcome)
        else:
            reason = outcome.reason or _REASONS.get(outcome.outcome, outcome.outcome)
            parked = {"$set": {"parked": reason}, "$unset": SETTLED}
            writes.append(UpdateOne({"_id": key, "revision": like.revision}, parked))
    for revision, keys in settled.items():  # many by one write: half of what as many writes take
        writes += [
            UpdateMany({"_id": {"$in": some}, "revision": revision}, {"$unset": SETTLED}) for some in portions(keys)
        ]
    # The likes that are settled are often those that are counted at this moment: not both at once, or the
    # transaction fails again and again. Who has waited long enough goes ahead; only speed depends on it.
    with patient_lease(count.LEASE, count.HOLD, count.HOLD.total_seconds()):
        bulk_write(Like._get_collection(), writes)


def _is_same(like: LikeChanged, outcome: LikeOutcome) -> bool:
    return (outcome.revision, outcome.liked) == (like.revision, like.liked)


def _admin_is_ahead(key: str, like: LikeChanged, outcome: LikeOutcome) -> list[UpdateOne]:
    """This store was restored from a backup, or the like changed since it was sent: then its revision differs, and
    none of these writes finds it.

    What was restored takes Admin's state: it was newer. What the shopper changed after the restore goes on top. Which
    it is, the mark says, or, where the like was pending in the backup already, the time: all that Admin holds of
    before the restore it received before any change after it.
    """
    ours = {"_id": key, "revision": like.revision, "pending": True}
    if outcome.liked == like.liked:
        return [UpdateOne(ours, {"$set": {"revision": outcome.revision}, "$unset": SETTLED})]
    on_top = {"$set": {"revision": max(outcome.revision, like.revision) + 1}}
    adopt = adopted(outcome.revision, outcome.liked, outcome.received_at)
    later: dict[str, Any] = {"restored": {"$ne": True}}
    if outcome.received_at is None:
        return [UpdateOne({**ours, "restored": True}, adopt), UpdateOne({**ours, **later}, on_top)]
    earlier = {"$or": [{"restored": True}, {"at": {"$lt": outcome.received_at}}]}
    later |= {"at": {"$gte": outcome.received_at}}
    return [UpdateOne({**ours, **earlier}, adopt), UpdateOne({**ours, **later}, on_top)]
