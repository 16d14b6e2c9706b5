"""Reads the Client's copy for a comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

from admin.outbox.client_gateway import client_gateway, readable_answer
from contract.digests import Digest, Entry
from contract.service_calls import PRODUCTS, Extent

TIMEOUT_SECONDS = 60.0  # the Client may read tens of thousands of documents for an answer


def digests(after: int, upto: int, timeout: float = TIMEOUT_SECONDS) -> tuple[list[Digest], int]:
    """Return the digests of the products with ids in (after, upto], and the last id that the Client read.

    Raises ClientUnavailableError.
    """
    answer = ask("digests", {"after": after, "upto": upto}, timeout)
    with readable_answer():
        reached = int(answer["reached"])
        if not after < reached <= upto:
            raise ValueError(f"reached {reached} of ({after}, {upto}]")
        return [Digest(*digest) for digest in answer["buckets"]], reached


def listed(product_ids: Sequence[int], timeout: float = TIMEOUT_SECONDS) -> dict[int, Entry]:
    """Return the copies of ``product_ids``, at most MAX_ENTRIES. Raises ClientUnavailableError."""
    answer = ask("entries", {"ids": list(product_ids)}, timeout)
    with readable_answer():
        return {entry[0]: Entry(*entry) for entry in answer["entries"]}


def extent() -> Extent:
    """Return the extent of the copy. Raises ClientUnavailableError."""
    answer = ask("extent", {})
    with readable_answer():
        return Extent.decode(answer)


def one(product_id: int, timeout: float = TIMEOUT_SECONDS) -> Mapping[str, Any] | None:
    """Return every stored field of a product's copy, None without one, within ``timeout`` seconds.

    Raises ClientUnavailableError.
    """
    answer = ask("one", {"id": product_id}, timeout)
    with readable_answer():
        copy: Mapping[str, Any] | None = answer["copy"]
        return copy


def ask(question: str, body: Any, timeout: float = TIMEOUT_SECONDS) -> Any:
    """Return the Client's answer to ``question``, the last part of a path. Raises ClientUnavailableError."""
    return client_gateway().ask(f"{PRODUCTS}/{question}", body, timeout)
