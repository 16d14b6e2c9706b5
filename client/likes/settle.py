"""L6: take over Admin's outcomes, each only where the like still has the rev that was sent."""

from collections import defaultdict
from collections.abc import Sequence

from pymongo import UpdateMany, UpdateOne

from client.admin_gateway import Outcome
from client.likes.documents import Like, like_id
from tasks.messages import LikeChanged

_REASONS = {"gone": "the product is gone", "unknown": "Admin does not know the product"}


def settle(likes: Sequence[LikeChanged], outcomes: Sequence[Outcome]) -> None:
    """Clear, park or raise each like. A lost or repeated answer changes nothing that is already right."""
    done: dict[int, list[str]] = defaultdict(list)
    writes: list[UpdateMany | UpdateOne] = []
    for like, outcome in zip(likes, outcomes, strict=True):
        key = like_id(like.product, like.user)
        if outcome.outcome == "applied" or (outcome.outcome == "superseded" and outcome.liked == like.liked):
            done[like.rev].append(key)
        elif outcome.outcome == "superseded":
            # Admin is ahead with another state: this store was restored from a backup. Ours goes on top; where
            # the like only changed meanwhile, its rev differs and this writes nothing.
            where = {"_id": key, "rev": like.rev}
            writes.append(UpdateOne(where, {"$set": {"rev": max(outcome.rev, like.rev) + 1}}))
        else:
            reason = outcome.reason or _REASONS.get(outcome.outcome, outcome.outcome)
            parked = {"$set": {"parked": reason}, "$unset": {"pending": ""}}
            writes.append(UpdateOne({"_id": key, "rev": like.rev}, parked))
    writes += [UpdateMany({"_id": {"$in": ids}, "rev": rev}, {"$unset": {"pending": ""}}) for rev, ids in done.items()]
    if writes:
        Like._get_collection().bulk_write(writes, ordered=False)
