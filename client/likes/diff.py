"""Compares the likes of both sides by digests of key ranges, and in detail only ranges that differ.

Runs beside the traffic. A like counts as different only if it was not pending before Admin was asked and is unchanged
afterwards. Parked likes are ignored: their reason is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from client.admin_gateway import FIRST, AdminGateway, Key
from client.likes.documents import Like, like_id
from client.store import by_ids
from contract.messages import LikeChanged, likes_digest
from contract.service_calls import StoredLike

CHUNK = 2_000  # likes per first digest, which are in memory at once
LEAF = 500  # likes compared one by one

MISSING_AT_ADMIN, OLDER_AT_ADMIN = "missing at Admin", "older at Admin"
MISSING_AT_CLIENT, OLDER_AT_CLIENT = "missing at the Client", "older at the Client"
DIFFERENT = "different at the same revision"
_FIELDS = {"product": 1, "user": 1, "revision": 1, "liked": 1, "pending": 1, "parked": 1}


@dataclass(frozen=True, slots=True)
class Difference:
    """One like that differs between the sides; None: missing on that side."""

    product: int
    user: str
    here: LikeChanged | None
    there: StoredLike | None

    @property
    def kind(self) -> str:
        if self.here is None:
            return MISSING_AT_CLIENT
        if self.there is None:
            return MISSING_AT_ADMIN
        if self.here.revision == self.there.like.revision:
            return DIFFERENT
        return OLDER_AT_ADMIN if self.here.revision > self.there.like.revision else OLDER_AT_CLIENT


def differences(gateway: AdminGateway) -> Iterator[list[Difference]]:
    """Yield the differences in lists, in the order of products and users.

    Raises AdminUnavailableError; pymongo's errors when the store does not answer.
    """
    found = Like._get_collection().find({}, _FIELDS).sort([("product", 1), ("user", 1)]).batch_size(1_000)
    ours = (LikeChanged(d["product"], d["user"], d["revision"], d["liked"]) for d in found)
    after, chunk = FIRST, list(islice(ours, CHUNK))
    while True:
        following = list(islice(ours, CHUNK))
        upto = _key(chunk[-1]) if following else None  # the last range is open: Admin may have more
        yield from _compare(gateway, after, upto, chunk)
        if upto is None:
            return
        after, chunk = upto, following


def _compare(
    gateway: AdminGateway, after: Key, upto: Key | None, ours: Sequence[LikeChanged]
) -> Iterator[list[Difference]]:
    if gateway.likes_digest(after, upto) == likes_digest(ours):
        return
    if len(ours) <= LEAF:
        yield from _compare_each(gateway, after, upto, ours)
        return
    for start in range(0, len(ours), LEAF):
        part = ours[start : start + LEAF]
        end = _key(part[-1]) if start + LEAF < len(ours) else upto
        yield from _compare(gateway, after, end, part)
        after = _key(part[-1])


def _compare_each(
    gateway: AdminGateway, after: Key, upto: Key | None, ours: Sequence[LikeChanged]
) -> Iterator[list[Difference]]:
    here = {_key(like): like for like in ours}
    while page := gateway.likes_range(after, upto):
        suspects = [_key(stored.like) for stored in page if here.pop(_key(stored.like), None) != stored.like]
        yield from _confirmed(gateway, suspects)
        after = _key(page[-1].like)
    yield from _confirmed(gateway, list(here))


def _confirmed(gateway: AdminGateway, suspects: Sequence[Key]) -> Iterator[list[Difference]]:
    """Yield those of ``suspects`` that still differ when read here, at Admin, and here again."""
    if not suspects:
        return
    before = _not_pending(suspects)
    there = {_key(stored.like): stored for stored in gateway.stored_likes(suspects)}
    after = _not_pending(suspects)
    found = [
        Difference(*key, before[key], there.get(key))
        for key in suspects
        if key in before and key in after and before[key] == after[key] and not _equal(before[key], there.get(key))
    ]
    if found:
        yield found


def _not_pending(keys: Sequence[Key]) -> dict[Key, LikeChanged | None]:
    """Return this side's likes of ``keys`` (None: missing), without pending and parked ones."""
    likes = by_ids(Like._get_collection(), [like_id(*key) for key in keys], _FIELDS)
    stored = {(like["product"], like["user"]): like for like in likes}
    return {
        key: LikeChanged(*key, stored[key]["revision"], stored[key]["liked"]) if key in stored else None
        for key in keys
        if key not in stored or not (stored[key].get("pending") or stored[key].get("parked"))
    }


def _equal(here: LikeChanged | None, there: StoredLike | None) -> bool:
    return here == (there and there.like)


def _key(like: LikeChanged) -> Key:
    return like.product, like.user
