"""Products whose message ended its worker: A6 tells Admin the reason, as it does for refused ones."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from client.extensions import by_ids
from client.products.documents import ProductCopy, SyncFailure


def note(products: Sequence[dict[str, Any]], reason: str) -> None:
    """Keep ``reason`` for each of ``products`` ({id, ver}), unless a reason for that ver or a newer one is kept."""
    noted = [(product["id"], product["ver"]) for product in products if product["ver"]]
    for product_id, ver in noted:
        _note(product_id, ver, reason)
    # Afterwards, so that a state applied meanwhile counts too: what is held has not failed.
    held = by_ids(ProductCopy._get_collection(), [product_id for product_id, _ in noted], {"ver": 1})
    for copy in held:
        SyncFailure._get_collection().delete_one({"_id": copy["_id"], "ver": {"$lte": copy["ver"]}})


def _note(product_id: int, ver: int, reason: str) -> None:
    change = {"$set": {"ver": ver, "reason": reason, "at": datetime.now(UTC)}}
    try:
        SyncFailure._get_collection().update_one({"_id": product_id, "ver": {"$lt": ver}}, change, upsert=True)
    except DuplicateKeyError:
        return  # there is one for this ver, by name, or for a newer one
