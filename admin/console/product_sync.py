"""One product on both sides: Admin's state beside the Client's copy, and the history of its versions."""

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

_TIMEOUT = 3.0  # seconds for the Client to answer
_TECHNICAL = ("sequence", "checksum")
_FIRST = ("version", "deleted")


@dataclass(frozen=True, slots=True)
class ProductSync:
    """``fields`` is None when the Client does not answer. ``technical`` fields only matter in a fault.

    ``line`` and ``status`` are None for a product that Admin never had.
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
        """Whether the copy equals Admin's state; None when unknown."""
        if self.fields is None:
            return None
        return all(field.same for field in (*self.fields, *self.technical))

    @property
    def replica_sequence(self) -> int:
        """The sequence of the Client's copy; 0 without one, or when unknown."""
        replica = next((field.replica for field in self.technical if field.name == "sequence"), None)
        return int(replica) if replica and replica.isascii() and replica.isdecimal() else 0

    def outcome(self, change: ProductChange) -> tuple[str, str]:
        """Return the outcome of a version, and the tone of its chip. It matches the copy that is shown, which may be
        newer than the last verified one.

        Whether the copy ever had a version that was replaced before it was verified is not recorded.
        """
        if change.applied_at:
            return "applied", "ok"
        if change.verified_at or change.sequence < self.replica_sequence:
            return "replaced by a newer one", "ok"
        if change.error:
            return "refused", "bad"
        if change.sequence == self.replica_sequence and self.in_sync:
            return "applied, not verified yet", "busy"
        return "on its way", "busy"


def product_sync(product_id: int, limit: int, cursor: str | None) -> ProductSync:
    """Return a product on both sides with a page of its versions. Raises NeverKnownError, BadCursorError."""
    line = product_list.one(product_id)
    status = product_status.product_status(product_id, limit, cursor) if line else None
    if status and status.client_error:  # one timeout is enough
        return _unknown(product_id, line, status, status.client_error)
    try:
        found = diff.fields_of(product_id, _TIMEOUT)
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
        raise NeverKnownError(f"Admin never had a product {product_id}, and the Client does not answer.")
    return ProductSync(product_id, line, status, None, (), None, error)
