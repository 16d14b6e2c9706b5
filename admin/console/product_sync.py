"""One product on both sides: what Admin has beside what the Client holds, and what happened to each version."""

from collections.abc import Sequence
from dataclasses import dataclass

from admin.console import product_list
from admin.console.product_list import Line
from admin.monitoring import product_status
from admin.monitoring.product_status import NeverKnownError, ProductStatus
from admin.outbox.client_gateway import ClientUnavailableError
from admin.outbox.models import ProductChange
from admin.reconcile import diff
from admin.reconcile.diff import Field

PATIENCE = 3.0  # seconds for the Client to answer
_TECHNICAL = ("sequence", "checksum")
_FIRST = ("version", "deleted")


@dataclass(frozen=True, slots=True)
class ProductSync:
    """``fields`` is None when the Client cannot be asked. ``technical`` are those that only matter in a fault.

    ``line`` and ``status`` are None for what Admin never had.
    """

    id: int
    line: Line | None
    status: ProductStatus | None
    fields: Sequence[Field] | None
    technical: Sequence[Field]
    failure: str | None
    client_error: str | None

    @property
    def in_sync(self) -> bool | None:
        """Whether the copy is the same; None when that is unknown."""
        if self.fields is None:
            return None
        return all(field.same for field in (*self.fields, *self.technical))

    @property
    def held_sequence(self) -> int:
        """The sequence of the copy that ``fields`` show; 0: none, or unknown."""
        replica = next((field.replica for field in self.technical if field.name == "sequence"), None)
        return int(replica) if replica and replica.isascii() and replica.isdecimal() else 0

    def fate(self, change: ProductChange) -> tuple[str, str]:
        """Return what became of a version, and the tone to say it in. It agrees with the copy that is shown, which may
        be further than what was verified.

        Nobody records whether the copy ever was at a version that a newer one replaced before it was verified.
        """
        if change.applied_at:
            return "applied", "ok"
        if change.verified_at or change.sequence < self.held_sequence:
            return "replaced by a newer one", "ok"
        if change.error:
            return "refused", "bad"
        if change.sequence == self.held_sequence and self.in_sync:
            return "at the Client, not verified yet", "busy"
        return "on its way", "busy"


def product_sync(product_id: int, limit: int, cursor: str | None) -> ProductSync:
    """Return a product on both sides with a page of its versions. Raises NeverKnownError, BadCursorError."""
    line = product_list.one(product_id)
    status = product_status.product_status(product_id, limit, cursor) if line else None
    if status and status.client_error:  # it did not answer just now: it is not waited for again
        return _unknown(product_id, line, status, status.client_error)
    try:
        found = diff.fields_of(product_id, PATIENCE)
    except diff.UnknownProductError:
        raise NeverKnownError(f"There never was a product {product_id}.") from None
    except ClientUnavailableError as error:
        return _unknown(product_id, line, status, str(error))
    technical = [field for field in found.fields if field.name in _TECHNICAL]
    content = [field for field in found.fields if field.name not in _TECHNICAL]
    content.sort(key=lambda field: field.name not in _FIRST)
    return ProductSync(product_id, line, status, content, technical, found.failure, None)


def _unknown(product_id: int, line: Line | None, status: ProductStatus | None, error: str) -> ProductSync:
    if status is None:
        raise NeverKnownError(f"Admin never had a product {product_id}, and the Client cannot be asked.")
    return ProductSync(product_id, line, status, None, (), None, error)
