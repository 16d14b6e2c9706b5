"""The Client's side of a comparison: what Admin asks about the copy."""

from collections.abc import Mapping, Sequence
from typing import Any

from admin.outbox.client_gateway import client_gateway, readable_answer
from contract.digests import Digest, Entry
from contract.service_calls import PRODUCTS, Extent

PATIENCE = 60.0  # seconds; a question may have the Client read tens of thousands of documents


def digests(after: int, upto: int, patience: float = PATIENCE) -> tuple[list[Digest], int]:
    """Return the digests of what has an id in (after, upto], and how far the Client came; ask on from there.

    Raises ClientUnavailableError.
    """
    answer = ask("digests", {"after": after, "upto": upto}, patience)
    with readable_answer():
        reached = int(answer["reached"])
        if not after < reached <= upto:
            raise ValueError(f"reached {reached} of ({after}, {upto}]")
        return [Digest(*digest) for digest in answer["buckets"]], reached


def listed(product_ids: Sequence[int], patience: float = PATIENCE) -> dict[int, Entry]:
    """Return what is held of ``product_ids``, at most MAX_ENTRIES. Raises ClientUnavailableError."""
    answer = ask("entries", {"ids": list(product_ids)}, patience)
    with readable_answer():
        return {entry[0]: Entry(*entry) for entry in answer["entries"]}


def extent() -> Extent:
    """Raises ClientUnavailableError."""
    answer = ask("extent", {})
    with readable_answer():
        return Extent.decode(answer)


def one(product_id: int, patience: float = PATIENCE) -> Mapping[str, Any] | None:
    """Return everything the copy holds of a product, None when that is nothing, within ``patience`` seconds.

    Raises ClientUnavailableError.
    """
    answer = ask("one", {"id": product_id}, patience)
    with readable_answer():
        copy: Mapping[str, Any] | None = answer["copy"]
        return copy


def ask(question: str, body: Any, patience: float = PATIENCE) -> Any:
    """Put ``question`` to the Client. Raises ClientUnavailableError."""
    return client_gateway().ask(f"{PRODUCTS}/{question}", body, patience)
