"""Replay without a payload: fetch a product's current state from Admin and apply it."""

import structlog

from client.admin_gateway import AdminGateway
from client.products import replicate
from client.products.documents import ProductCopy
from tasks.messages import ProductChanged

log = structlog.get_logger(__name__)


def resync(gateway: AdminGateway, product_id: int) -> None:
    """Make the copy of ``product_id`` equal Admin's, deleted or not. Replayed any number of times: the same.

    Raises AdminUnavailableError; pymongo's errors when the store does not answer.
    """
    state = gateway.product_state(product_id)
    if state is None:
        log.warning("resync: Admin never had this product", product_id=product_id)
        return
    seen = ProductCopy._get_collection().find_one({"_id": product_id}, {"ver": 1, "checksum": 1})
    if not replicate.apply([state]) and seen and seen["ver"] == state.ver:
        _mend(state, seen["checksum"])


def _mend(state: ProductChanged, seen_checksum: str) -> None:
    """Same version: write Admin's content over it, unless someone changed the copy since it was read."""
    operation = replicate.overwrite(state, {"_id": state.id, "ver": state.ver, "checksum": seen_checksum})
    ProductCopy._get_collection().bulk_write([operation])
