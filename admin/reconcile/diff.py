"""Drift: a difference that nobody is at work on, and that a second look finds unchanged."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from admin.outbox.client_gateway import readable_answer
from admin.reconcile import client_copy, own_state
from admin.reconcile.compare import Difference, batched, differences, look
from contract.messages import DELETED_CHECKSUM
from contract.versions import MAX_SEQUENCE, version_of

LOWEST, HIGHEST = -MAX_SEQUENCE, MAX_SEQUENCE  # a document typed in by hand may have any id
SECOND_LOOK = 2.0  # seconds after the first: a change under way has arrived, or its row is pending
_SUSPECTS = 2_000  # looked at again at once


class Comparison:
    """One pass over both stores. ``pending`` counts the differences that are being worked on, no drift.

    ``rest`` is the time between the two looks, in seconds.
    """

    def __init__(self, rest: float = SECOND_LOOK) -> None:
        self._rest = rest
        self.pending = 0

    def drift(
        self, after: int = LOWEST, upto: int = HIGHEST, progress: Callable[[int], None] = lambda _id: None
    ) -> Iterator[Difference]:
        """Yield the drift among the ids in (after, upto]. Raises ClientUnavailableError."""
        suspects = self._settled(differences(after, upto, progress))
        for batch in batched(suspects, _SUSPECTS):
            time.sleep(self._rest)
            before = set(batch)
            again = look([difference.id for difference in batch])
            for difference in self._settled(again):
                if difference in before:
                    yield difference
                else:
                    self.pending += 1  # somebody changed it between the looks

    def _settled(self, found: Iterable[Difference]) -> Iterator[Difference]:
        for difference in found:
            self.pending += difference.pending
            if not difference.pending:
                yield difference


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one product on both sides; None: nothing is there."""

    name: str
    own: str | None
    held: str | None

    @property
    def same(self) -> bool:
        return self.own == self.held


@dataclass(frozen=True, slots=True)
class Fields:
    """A product field by field. ``pending``: the relay is at work on it; ``failure``: why the Client refused it."""

    fields: Sequence[Field]
    pending: bool
    failure: str | None
    applied_at: str | None

    @property
    def same(self) -> bool:
        return all(field.same for field in self.fields)


class UnknownProductError(Exception):
    """Neither store ever had the product."""


def fields_of(product_id: int, patience: float = client_copy.PATIENCE) -> Fields:
    """Compare one product field by field, waiting ``patience`` seconds for the Client.

    Raises UnknownProductError, ClientUnavailableError.
    """
    held, own = client_copy.one(product_id, patience), own_state.listed([product_id]).get(product_id)
    if held is None and own is None:
        raise UnknownProductError(f"neither Admin nor the Client ever had a product {product_id}")
    mine, theirs = _own_fields(own), _held_fields(held)
    names = list(dict.fromkeys([*mine, *theirs]))
    fields = [Field(name, mine.get(name), theirs.get(name)) for name in names]
    seen = held or {}
    return Fields(fields, bool(own and own.pending), seen.get("failure"), seen.get("applied_at"))


def _own_fields(own: own_state.Own | None) -> dict[str, str]:
    if own is None:
        return {}
    return _state(own.entry.sequence, own.entry.checksum) | (own.message.encode()["product"] or {})


def _held_fields(held: Any) -> dict[str, str]:
    if held is None:
        return {}
    with readable_answer():
        return _state(held["sequence"], held["checksum"]) | dict(held["content"])


def _state(sequence: int, checksum: str) -> dict[str, str]:
    # The epoch only shows through sequence: two states of one version differ in it after a recovery.
    return {
        "version": str(version_of(sequence)),
        "sequence": str(sequence),
        "deleted": "yes" if checksum == DELETED_CHECKSUM else "no",
        "checksum": checksum,
    }
