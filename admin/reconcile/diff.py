"""Finds drift: differences that no pending row explains and that a second check finds unchanged."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from admin.outbox.client_gateway import readable_answer
from admin.reconcile import client_copy, own_state
from admin.reconcile.compare import Difference, batched, compare_ids, differences
from contract.messages import DELETED_CHECKSUM
from contract.versions import MAX_SEQUENCE, version_of

LOWEST, HIGHEST = -MAX_SEQUENCE, MAX_SEQUENCE  # a document inserted by hand may have any id
RECHECK_SECONDS = 2.0  # after the first check: by then a change has arrived, or its row is pending
_SUSPECTS = 2_000  # rechecked together


class Comparison:
    """One pass over both stores. ``pending`` counts the differences that a pending row explains.

    ``pause`` is the time between the two checks, in seconds.
    """

    def __init__(self, pause: float = RECHECK_SECONDS) -> None:
        self._pause = pause
        self.pending = 0

    def drift(
        self, after: int = LOWEST, upto: int = HIGHEST, progress: Callable[[int], None] = lambda _id: None
    ) -> Iterator[Difference]:
        """Yield the drift among the ids in (after, upto]. Raises ClientUnavailableError."""
        suspects = self._not_pending(differences(after, upto, progress))
        for batch in batched(suspects, _SUSPECTS):
            time.sleep(self._pause)
            before = set(batch)
            again = compare_ids([difference.id for difference in batch])
            for difference in self._not_pending(again):
                if difference in before:
                    yield difference
                else:
                    self.pending += 1  # it changed between the checks

    def _not_pending(self, found: Iterable[Difference]) -> Iterator[Difference]:
        for difference in found:
            self.pending += difference.pending
            if not difference.pending:
                yield difference


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a product on both sides; None where a side lacks it."""

    name: str
    own: str | None
    replica: str | None

    @property
    def same(self) -> bool:
        return self.own == self.replica


@dataclass(frozen=True, slots=True)
class Fields:
    """A product field by field. ``pending``: its outbox row is pending; ``failure``: why the Client refused it."""

    fields: Sequence[Field]
    pending: bool
    failure: str | None
    applied_at: str | None

    @property
    def same(self) -> bool:
        return all(field.same for field in self.fields)


class UnknownProductError(Exception):
    """Neither store ever had the product."""


def fields_of(product_id: int, timeout: float = client_copy.TIMEOUT_SECONDS) -> Fields:
    """Compare one product field by field, waiting ``timeout`` seconds for the Client.

    Raises UnknownProductError, ClientUnavailableError.
    """
    replica, own = client_copy.one(product_id, timeout), own_state.listed([product_id]).get(product_id)
    if replica is None and own is None:
        raise UnknownProductError(f"neither Admin nor the Client ever had a product {product_id}")
    mine, theirs = _own_fields(own), _replica_fields(replica)
    names = list(dict.fromkeys([*mine, *theirs]))
    fields = [Field(name, mine.get(name), theirs.get(name)) for name in names]
    seen = replica or {}
    return Fields(fields, bool(own and own.pending), seen.get("failure"), seen.get("applied_at"))


def _own_fields(own: own_state.Own | None) -> dict[str, str]:
    if own is None:
        return {}
    return _state(own.entry.sequence, own.entry.checksum) | (own.message.encode()["product"] or {})


def _replica_fields(replica: Any) -> dict[str, str]:
    if replica is None:
        return {}
    with readable_answer():
        return _state(replica["sequence"], replica["checksum"]) | dict(replica["content"])


def _state(sequence: int, checksum: str) -> dict[str, str]:
    # The sequence shows the epoch: after a recovery two states of one version differ only in it.
    return {
        "version": str(version_of(sequence)),
        "sequence": str(sequence),
        "deleted": "yes" if checksum == DELETED_CHECKSUM else "no",
        "checksum": checksum,
    }
