"""The Client's side of a comparison: what Admin asks about the copy."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from admin.outbox.client_gateway import ClientUnavailableError, client_gateway
from contract.digests import Digest, Entry

MAX_LISTED = 5_000  # the Client's limit per question
PATIENCE = 60.0  # seconds; a question may have the Client read tens of thousands of documents
_BASE = "/service/v1/products"


def digests(after: int, upto: int, patience: float = PATIENCE) -> tuple[list[Digest], int]:
    """Return the digests of what has an id in (after, upto], and how far the Client came; ask on from there.

    Raises ClientUnavailableError.
    """
    answer = ask("digests", {"after": after, "upto": upto}, patience)
    with sensible():
        reached = int(answer["reached"])
        if not after < reached <= upto:
            raise ValueError(f"reached {reached} of ({after}, {upto}]")
        return [Digest(*digest) for digest in answer["buckets"]], reached


def listed(product_ids: Sequence[int], patience: float = PATIENCE) -> dict[int, Entry]:
    """Return what is held of ``product_ids``, at most MAX_LISTED. Raises ClientUnavailableError."""
    answer = ask("entries", {"ids": list(product_ids)}, patience)
    with sensible():
        return {entry[0]: Entry(*entry) for entry in answer["entries"]}


@dataclass(frozen=True, slots=True)
class Extent:
    """How many products the copy holds, and how far their ids reach."""

    highest_id: int
    live: int


def extent() -> Extent:
    """Raises ClientUnavailableError."""
    answer = ask("extent", {})
    with sensible():
        return Extent(int(answer["highest_id"]), int(answer["live"]))


def one(product_id: int, patience: float = PATIENCE) -> Mapping[str, Any] | None:
    """Return everything the copy holds of a product, None when that is nothing, within ``patience`` seconds.

    Raises ClientUnavailableError.
    """
    answer = ask("one", {"id": product_id}, patience)
    with sensible():
        copy: Mapping[str, Any] | None = answer["copy"]
        return copy


def ask(question: str, body: Any, patience: float = PATIENCE) -> Any:
    """Put ``question`` to the Client. Raises ClientUnavailableError."""
    return client_gateway().ask(f"{_BASE}/{question}", body, patience)


@contextmanager
def sensible() -> Iterator[None]:
    """An answer that cannot be read is as good as none: raises ClientUnavailableError."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise ClientUnavailableError(f"the Client's answer makes no sense: {error!r}") from error
