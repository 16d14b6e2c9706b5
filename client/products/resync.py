"""Replay without a payload: fetch products' current states from Admin and make the copy equal to them."""

from collections.abc import Sequence
from typing import Any

import structlog
from pymongo import UpdateOne

from client.admin_gateway import AdminGateway
from client.extensions import bulk_write, by_ids
from client.images import wanted
from client.products import replicate
from client.products.content import checksum_of
from client.products.documents import ProductCopy
from tasks import origins
from tasks.messages import ProductChanged

log = structlog.get_logger(__name__)

SHOWN = 20  # unknown ids in a line of the log


def resync(gateway: AdminGateway, product_ids: Sequence[int]) -> list[int]:
    """Make the copies of ``product_ids`` equal Admin's, deleted or not; return the ids that Admin never had.

    What is right already is not written. Raises AdminUnavailableError; pymongo's errors when the store does not
    answer.
    """
    # Read before Admin is asked: what is at Admin's version then cannot be newer than Admin's answer.
    seen = {doc["_id"]: doc for doc in by_ids(ProductCopy._get_collection(), product_ids)}
    states = gateway.product_states(product_ids)
    replicate.apply(states)
    wanted.note(states)
    _mend([replicate.overwrite(s, _exactly(seen[s.id])) for s in states if _differs(seen.get(s.id), s)])
    unknown = sorted(set(product_ids) - {state.id for state in states})
    origins.tell(log, "resynced", states)
    if unknown:
        log.warning("Admin never had these products; nothing was changed", products=unknown[:SHOWN], count=len(unknown))
    return unknown


def _differs(seen: Any, state: ProductChanged) -> bool:
    return seen is not None and seen["ver"] == state.ver and checksum_of(seen) != state.checksum


def _exactly(seen: dict[str, Any]) -> dict[str, Any]:
    """Match the document only as it was seen: whoever changed it since knows better."""
    return {"_id": seen["_id"], "ver": seen["ver"], "checksum": seen["checksum"]}


def _mend(operations: list[UpdateOne]) -> None:
    if operations:
        bulk_write(ProductCopy._get_collection(), operations)
