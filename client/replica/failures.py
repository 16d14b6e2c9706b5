"""Stores why product states were refused: one reason per product, that of the newest refused state.

Admin reads them when it verifies. Messages arrive in any order, so each write is guarded by its sequence.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from client.replica.documents import ProductCopy, SyncFailure
from client.store import by_ids
from contract.messages import InvalidMessageError


def record(error: InvalidMessageError) -> None:
    """Record the reason for a refused message whose product is known, unless a newer state was refused, or the same or
    a newer one is stored.
    """
    if error.product_id is not None:
        _write(error.product_id, "$lte", error.sequence or 0, error.reason)
        _delete_outdated([error.product_id])


def record_worker_lost(products: Sequence[dict[str, Any]], reason: str) -> None:
    """Record ``reason`` for ``products`` ({id, sequence}) whose message ended its worker. An existing reason for the
    same state stays.
    """
    for product in products:
        if product["sequence"]:
            _write(product["id"], "$lt", product["sequence"], reason)
    _delete_outdated([product["id"] for product in products if product["sequence"]])


def clear(applied: Mapping[int, int]) -> None:
    """Remove the reasons for states up to those ``applied`` (product → sequence)."""
    failures = SyncFailure._get_collection()
    for failure in by_ids(failures, list(applied), {"_id": 1}):  # usually there is none, and nothing to write
        failures.delete_one({"_id": failure["_id"], "sequence": {"$lte": applied[failure["_id"]]}})


def _write(product_id: int, replaces: str, sequence: int, reason: str) -> None:
    change = {"$set": {"sequence": sequence, "reason": reason, "at": datetime.now(UTC)}}
    try:
        SyncFailure._get_collection().update_one(
            {"_id": product_id, "sequence": {replaces: sequence}}, change, upsert=True
        )
    except DuplicateKeyError:
        return  # the stored one stays


def _delete_outdated(product_ids: Sequence[int]) -> None:
    """Remove reasons for states that are stored. Read after the write, to see states that were applied meanwhile."""
    for copy in by_ids(ProductCopy._get_collection(), product_ids, {"sequence": 1}):
        if isinstance(stored := copy.get("sequence"), int):
            # 0: the refused sequence could not be read, so it may be newer
            SyncFailure._get_collection().delete_one({"_id": copy["_id"], "sequence": {"$gt": 0, "$lte": stored}})
