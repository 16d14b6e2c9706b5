"""A6, the Client's side: what is held of the products that Admin asks about."""

from typing import Any

from client.extensions import MAJORITY
from client.products.documents import ProductCopy, SyncFailure
from tasks.messages import format_time


def held(product_ids: list[int]) -> list[dict[str, Any]]:
    """Return, for each id held or refused: ver (0: nothing held), checksum, applied_at, failed_ver, failure.

    Read from the primary with majority concern: what a failover could roll back is not proven.
    """
    wanted = {"_id": {"$in": product_ids}}
    copies = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    failures = SyncFailure._get_collection().with_options(read_concern=MAJORITY)
    found = {doc["_id"]: doc for doc in copies.find(wanted, {"ver": 1, "checksum": 1, "applied_at": 1})}
    refused = {doc["_id"]: doc for doc in failures.find(wanted)}
    return [_show(id_, found.get(id_, {}), refused.get(id_, {})) for id_ in found.keys() | refused.keys()]


def _show(product_id: int, copy: dict[str, Any], failure: dict[str, Any]) -> dict[str, Any]:
    applied = copy.get("applied_at")
    return {
        "id": product_id,
        "ver": copy.get("ver", 0),
        "checksum": copy.get("checksum", ""),
        "applied_at": format_time(applied) if applied else None,
        "failed_ver": failure.get("ver", 0),
        "failure": failure.get("reason"),
    }
