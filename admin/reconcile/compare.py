"""Finding what differs between the catalogue and a copy: digests of ranges first, ids only where those differ.

Memory is bounded on both sides, whatever the catalogue's size and however much differs.
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
_NEVER_OURS = (AHEAD, MALFORMED, ORPHANED)  # Admin is read after the Client: none of its changes looks like these
_BUCKETS = MAX_ENTRIES // BUCKET  # looked into with one question


@dataclass(frozen=True, slots=True)
class Difference:
    """A product that the stores do not agree on. ``own`` None: Admin never had it; ``held`` None: the Client lacks
    it. ``pending``: the relay is at work on it, which explains the difference.
    """

    id: int
    kind: str
    sku: str
    own: Entry | None
    held: Entry | None
    pending: bool

    @property
    def deletes(self) -> bool:
        """Whether repairing it takes a product from the shop."""
        shown = self.held is not None and not _is_deleted(self.held)
        return shown and (self.own is None or _is_deleted(self.own))

    @property
    def certain(self) -> bool:
        """Whether this is drift whatever the relay is at work on, and without a second look."""
        return self.kind in _NEVER_OURS

    @property
    def why(self) -> str:
        """The difference in words."""
        if self.kind == DIFFERING:
            return _DIFFERING[_is_deleted(self.own), _is_deleted(self.held)]
        return _WHY[self.kind]


_WHY = {
    MISSING: "the Client does not hold it",
    STALE: "the Client holds an older version",
    AHEAD: "the Client holds a later version than Admin made",
    MALFORMED: "the Client's copy is malformed",
    ORPHANED: "the Client shows it, and Admin never had it",
}
_DIFFERING = {
    (False, False): "same version, other content",
    (True, False): "same version, but deleted on Admin only",
    (False, True): "same version, but deleted at the Client only",
}


def differences(
    after: int, upto: int, progress: Callable[[int], None] = lambda _id: None, patience: float = client_copy.PATIENCE
) -> Iterator[Difference]:
    """Yield what differs among the ids in (after, upto]; ``progress`` is given the id up to which it is done.

    Raises ClientUnavailableError.
    """
    while after < upto:
        held, reached = client_copy.digests(after, upto, patience)
        for buckets in batched(_differing_buckets(after, reached, held), _BUCKETS):
            ids = [id_ for bucket in buckets for id_ in _ids(bucket) if after < id_ <= reached]
            yield from look(ids, patience)
            progress(ids[-1])
        progress(reached)
        after = reached


def look(product_ids: Sequence[int], patience: float = client_copy.PATIENCE) -> list[Difference]:
    """Return what differs among ``product_ids``, at most MAX_ENTRIES. Raises ClientUnavailableError."""
    held, own = client_copy.listed(product_ids, patience), own_state.listed(product_ids)
    found = (_difference(id_, own.get(id_), held.get(id_)) for id_ in product_ids)
    return [difference for difference in found if difference]


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield ``items`` in lists of ``size``, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _differing_buckets(after: int, upto: int, held: Iterable[Digest]) -> Iterator[int]:
    """Sum up Admin's side; yield the numbers of the buckets that are not the same."""
    theirs = {digest.bucket: digest for digest in held}
    for mine in digests(own.entry for own in own_state.stream(after, upto)):
        if theirs.pop(mine.bucket, None) != mine:
            yield mine.bucket
    yield from theirs  # where Admin has nothing


def _ids(bucket: int) -> range:
    return range(bucket * BUCKET, (bucket + 1) * BUCKET)


def _is_deleted(entry: Entry | None) -> bool:
    return entry is not None and entry.checksum == DELETED_CHECKSUM


def _difference(product_id: int, own: Own | None, held: Entry | None) -> Difference | None:
    kind = _kind(own.entry if own else None, held)
    if kind is None:
        return None
    pending = own is not None and own.pending and kind not in _NEVER_OURS
    return Difference(product_id, kind, own.sku if own else "", own.entry if own else None, held, pending)


def _kind(own: Entry | None, held: Entry | None) -> str | None:
    if own == held:
        return None
    if own is None or held is None:
        # A tombstone of what Admin never had is harmless: it is what repairing leaves.
        return MISSING if held is None else ORPHANED if held.checksum != DELETED_CHECKSUM else None
    if held.checksum == MALFORMED_CHECKSUM:
        return MALFORMED
    if own.sequence != held.sequence:
        return STALE if held.sequence < own.sequence else AHEAD
    return DIFFERING
