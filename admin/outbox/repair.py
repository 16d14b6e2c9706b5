"""Repair of copies over HTTP: the Client replaces exactly what was seen by what Admin says now. Needs no broker."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from admin.outbox.client_gateway import ClientUnavailableError, client_gateway, readable_answer
from contract.service_calls import MAX_REPAIRS, PRODUCTS, Repair

BATCH_BYTES = 500_000  # of JSON; half of what the Client accepts
PATIENCE = 10.0  # seconds for a batch: the Client reads, writes and counts up to 200 products


def repair(repairs: Iterable[Repair], patience: float = PATIENCE) -> dict[int, str]:
    """Have the Client carry out ``repairs``; return what came of each, in the Client's words.

    A copy that changed since it was seen is left as it is. Raises ClientUnavailableError; what was repaired by then
    stays so, and doing it again is harmless.
    """
    outcomes: dict[int, str] = {}
    for page in pages(each.encode() for each in repairs):
        answer = client_gateway().ask(f"{PRODUCTS}/repair", {"repairs": page}, patience)
        with readable_answer():
            found = {int(product_id): str(outcome) for product_id, outcome in answer["outcomes"]}
        if found.keys() != {item["id"] for item in page}:
            raise ClientUnavailableError(f"the Client gave {len(found)} outcomes of {len(page)}")
        outcomes |= found
    return outcomes


def pages(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Split into pages that are bounded in number and in size."""
    page: list[dict[str, Any]] = []
    size = 0
    for item in items:
        length = len(json.dumps(item))
        if page and (len(page) == MAX_REPAIRS or size + length > BATCH_BYTES):
            yield page
            page, size = [], 0
        page.append(item)
        size += length
    if page:
        yield page
