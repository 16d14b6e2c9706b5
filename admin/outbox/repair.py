"""Repairs the Client's copies by HTTP, without the broker: replaces exactly the copy that was seen by Admin's state."""

import json
from collections.abc import Iterable
from typing import Any

from admin.outbox.batches import batches
from admin.outbox.client_gateway import ClientUnavailableError, client_gateway, readable_answer
from contract.service_calls import MAX_REPAIRS, PRODUCTS, Repair

BATCH_BYTES = 500_000  # of JSON per call; half of what the Client accepts
TIMEOUT_SECONDS = 10.0  # for a batch: the Client reads, writes and counts up to 200 products


def repair(repairs: Iterable[Repair], timeout: float = TIMEOUT_SECONDS) -> dict[int, str]:
    """Send ``repairs`` to the Client; return the Client's outcome of each.

    A copy that changed since it was seen stays as it is. Raises ClientUnavailableError; the batches before stay
    repaired, and repeating them is harmless.
    """
    outcomes: dict[int, str] = {}
    for batch in batches((each.encode() for each in repairs), MAX_REPAIRS, BATCH_BYTES, _bytes):
        answer = client_gateway().ask(f"{PRODUCTS}/repair", {"repairs": batch}, timeout)
        with readable_answer():
            found = {int(product_id): str(outcome) for product_id, outcome in answer["outcomes"]}
        if found.keys() != {item["id"] for item in batch}:
            raise ClientUnavailableError(f"the Client returned {len(found)} outcomes for {len(batch)} repairs")
        outcomes |= found
    return outcomes


def _bytes(item: dict[str, Any]) -> int:
    return len(json.dumps(item))
