"""Applies Admin's outcomes, each only where the like still has the revision that was sent."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pymongo import UpdateMany, UpdateOne

from client.leases import wait_for_lease
from client.likes import count
from client.likes.documents import PENDING_FIELDS, Like, adopted, like_id
from client.store import bulk_write, portions
from contract.messages import LikeChanged
from contract.service_calls import APPLIED, GONE, SUPERSEDED, UNKNOWN, LikeOutcome

_REASONS = {GONE: "the product is deleted", UNKNOWN: "Admin never had the product"}


def apply(likes: Sequence[LikeChanged], outcomes: Sequence[LikeOutcome]) -> None:
    """Clear, park, overwrite or raise each like. Applying a late or repeated answer is harmless."""
    done: dict[int, list[str]] = defaultdict(list)
    writes: list[UpdateOne | UpdateMany] = []
    for like, outcome in zip(likes, outcomes, strict=True):
        key = like_id(like.product, like.user)
        if outcome.outcome == APPLIED or (outcome.outcome == SUPERSEDED and _is_same(like, outcome)):
            done[like.revision].append(key)
        elif outcome.outcome == SUPERSEDED:
            writes += _admin_is_ahead(key, like, outcome)
        else:
            reason = outcome.reason or _REASONS.get(outcome.outcome, outcome.outcome)
            parked = {"$set": {"parked": reason}, "$unset": PENDING_FIELDS}
            writes.append(UpdateOne({"_id": key, "revision": like.revision}, parked))
    for revision, keys in done.items():  # one write for many takes half the time
        writes += [
            UpdateMany({"_id": {"$in": some}, "revision": revision}, {"$unset": PENDING_FIELDS})
            for some in portions(keys)
        ]
    # These likes are often being counted at the same moment. Without the lease the count's transaction would fail
    # repeatedly. After the timeout the write proceeds without it.
    with wait_for_lease(count.LEASE, count.LEASE_TIME, count.LEASE_TIME.total_seconds()):
        bulk_write(Like._get_collection(), writes)


def _is_same(like: LikeChanged, outcome: LikeOutcome) -> bool:
    return (outcome.revision, outcome.liked) == (like.revision, like.liked)


def _admin_is_ahead(key: str, like: LikeChanged, outcome: LikeOutcome) -> list[UpdateOne]:
    """Return the writes for a like of which Admin stores a higher revision: this store was restored from a backup.

    A like from the backup is overwritten with Admin's state, which is newer. A change that the shopper made after the
    restore gets a revision above Admin's. ``restored`` distinguishes the two; for a like that was already pending in
    the backup, its time does: Admin received its state before any change after the restore. A like that changed since
    it was sent has another revision, so no write matches it.
    """
    ours = {"_id": key, "revision": like.revision, "pending": True}
    if outcome.liked == like.liked:
        return [UpdateOne(ours, {"$set": {"revision": outcome.revision}, "$unset": PENDING_FIELDS})]
    raised = {"$set": {"revision": max(outcome.revision, like.revision) + 1}}
    overwrite = adopted(outcome.revision, outcome.liked, outcome.received_at)
    later: dict[str, Any] = {"restored": {"$ne": True}}
    if outcome.received_at is None:
        return [UpdateOne({**ours, "restored": True}, overwrite), UpdateOne({**ours, **later}, raised)]
    earlier = {"$or": [{"restored": True}, {"at": {"$lt": outcome.received_at}}]}
    later |= {"at": {"$gte": outcome.received_at}}
    return [UpdateOne({**ours, **earlier}, overwrite), UpdateOne({**ours, **later}, raised)]
