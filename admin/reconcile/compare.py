"""Finds the differences between the catalogue and the Client's copy: digests of id ranges first, ids where they differ.

Memory is bounded on both sides, for any size of the catalogue and any number of differences.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from admin.reconcile import client_copy, own_state
from admin.reconcile.own_state import Own
from contract.digests import BUCKET, Digest, Entry, digests
from contract.messages import DELETED_CHECKSUM, MALFORMED_CHECKSUM
from contract.service_calls import MAX_ENTRIES

T = TypeVar("T")

MISSING, STALE, AHEAD, DIFFERING, ORPHANED = "missing", "stale", "ahead", "differing", "orphaned"
MALFORMED = "malformed"
_NEVER_OURS = (AHEAD, MALFORMED, ORPHANED)  # Admin is read after the Client, so none of its changes causes these
_BUCKETS = MAX_ENTRIES // BUCKET  # compared id by id with one call


@dataclass(frozen=True, slots=True)
class Difference:
    """A product that differs between the stores.

    ``own`` is None where Admin never had it, ``replica`` where the Client lacks it. ``pending``: a pending outbox row
    explains the difference.
    """

    id: int
    kind: str
    sku: str
    own: Entry | None
    replica: Entry | None
    pending: bool

    @property
    def deletes(self) -> bool:
        """Whether its repair removes a product from the shop."""
        shown = self.replica is not None and not _is_deleted(self.replica)
        return shown and (self.own is None or _is_deleted(self.own))

    @property
    def certain(self) -> bool:
        """Whether this is drift without a second check and even with a pending row."""
        return self.kind in _NEVER_OURS

    @property
    def why(self) -> str:
        """The reason, for people."""
        if self.kind == DIFFERING:
            return _DIFFERING[_is_deleted(self.own), _is_deleted(self.replica)]
        return _WHY[self.kind]


_WHY = {
    MISSING: "the Client lacks it",
    STALE: "the Client stores an older version",
    AHEAD: "the Client stores a later version than Admin made",
    MALFORMED: "the Client's copy is malformed",
    ORPHANED: "the Client shows it, but Admin never had it",
}
_DIFFERING = {
    (False, False): "same version, other content",
    (True, False): "same version, but deleted on Admin only",
    (False, True): "same version, but deleted at the Client only",
}


def differences(
    after: int,
    upto: int,
    progress: Callable[[int], None] = lambda _id: None,
    timeout: float = client_copy.TIMEOUT_SECONDS,
) -> Iterator[Difference]:
    """Yield the differences among the ids in (after, upto]; ``progress`` is called with the last id compared.

    Raises ClientUnavailableError.
    """
    while after < upto:
        replica, reached = client_copy.digests(after, upto, timeout)
        for buckets in batched(_differing_buckets(after, reached, replica), _BUCKETS):
            ids = [id_ for bucket in buckets for id_ in _ids(bucket) if after < id_ <= reached]
            yield from compare_ids(ids, timeout)
            progress(ids[-1])
        progress(reached)
        after = reached


def compare_ids(product_ids: Sequence[int], timeout: float = client_copy.TIMEOUT_SECONDS) -> list[Difference]:
    """Return the differences among ``product_ids``, at most MAX_ENTRIES. Raises ClientUnavailableError."""
    replica, own = client_copy.listed(product_ids, timeout), own_state.listed(product_ids)
    found = (_difference(id_, own.get(id_), replica.get(id_)) for id_ in product_ids)
    return [difference for difference in found if difference]


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield ``items`` in lists of ``size``, the last one shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _differing_buckets(after: int, upto: int, replica: Iterable[Digest]) -> Iterator[int]:
    """Digest Admin's side; yield the numbers of the buckets that differ."""
    theirs = {digest.bucket: digest for digest in replica}
    for mine in digests(own.entry for own in own_state.stream(after, upto)):
        if theirs.pop(mine.bucket, None) != mine:
            yield mine.bucket
    yield from theirs  # where Admin has nothing


def _ids(bucket: int) -> range:
    return range(bucket * BUCKET, (bucket + 1) * BUCKET)


def _is_deleted(entry: Entry | None) -> bool:
    return entry is not None and entry.checksum == DELETED_CHECKSUM


def _difference(product_id: int, own: Own | None, replica: Entry | None) -> Difference | None:
    kind = _kind(own.entry if own else None, replica)
    if kind is None:
        return None
    pending = own is not None and own.pending and kind not in _NEVER_OURS
    return Difference(product_id, kind, own.sku if own else "", own.entry if own else None, replica, pending)


def _kind(own: Entry | None, replica: Entry | None) -> str | None:
    if own == replica:
        return None
    if own is None or replica is None:
        # A tombstone of a product that Admin never had is no drift: a repair leaves it.
        return MISSING if replica is None else ORPHANED if replica.checksum != DELETED_CHECKSUM else None
    if replica.checksum == MALFORMED_CHECKSUM:
        return MALFORMED
    if own.sequence != replica.sequence:
        return STALE if replica.sequence < own.sequence else AHEAD
    return DIFFERING
