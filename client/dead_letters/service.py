"""What operators do with dead letters: resync their products, or discard them. See docs/decisions/0046."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from client.admin_gateway import AdminGateway
from client.dead_letters.documents import CLOSED, DISCARDED, RESYNCED, DeadLetter
from client.images import wanted
from client.replica.resync import resync as resync_products
from contract.service_calls import NEVER_AT_ADMIN

RETENTION = timedelta(days=30)  # of resynced and discarded ones
PURGED_AT_ONCE = 1_000
_NO_PRODUCT = "it names no product; discard the dead letter"

Refusals = dict[str, str]  # a reason by the dead letter's id


class RefusedError(Exception):
    """The action is not possible with this dead letter; the text says why."""


def resync(gateway: AdminGateway, dead_letter: dict[str, Any], by: str) -> list[int]:
    """Make the copies of the products in ``dead_letter`` equal to Admin's, then record it; return their ids.

    Raises RefusedError, AdminUnavailableError, and pymongo's errors when the store does not answer; the dead letter
    then stays open.
    """
    ids = product_ids(dead_letter)
    found = resync_products(gateway, ids)
    wanted.record(found.states)
    if len(found.unknown) == len(ids):
        raise RefusedError(NEVER_AT_ADMIN)
    record_resync([dead_letter], by)
    return ids


def product_ids(dead_letter: dict[str, Any]) -> list[int]:
    """Return the products in ``dead_letter``. Raises RefusedError when there is none."""
    if not dead_letter["products"]:
        raise RefusedError(_NO_PRODUCT)
    return [product["id"] for product in dead_letter["products"]]


def record_resync(dead_letters: Sequence[dict[str, Any]], by: str) -> Refusals:
    """Record as resynced those with products, which the caller resynced or made pending; return the others' reasons."""
    refusals = {item["_id"]: _NO_PRODUCT for item in dead_letters if not item["products"]}
    _close([item["_id"] for item in dead_letters if item["products"]], RESYNCED, by)
    return refusals


def discard(dead_letters: Sequence[dict[str, Any]], by: str) -> Refusals:
    """Discard ``dead_letters`` and leave their products as they are; return a reason for each that is resynced."""
    refusals = {item["_id"]: "it is already resynced" for item in dead_letters if item["state"] == RESYNCED}
    _close([item["_id"] for item in dead_letters], DISCARDED, by, unless=RESYNCED)
    return refusals


def purge(now: datetime | None = None) -> int:
    """Remove some dead letters that were closed RETENTION ago; return how many. Open ones are never removed."""
    old = {"state": {"$in": CLOSED}, "at": {"$lt": (now or datetime.now(UTC)) - RETENTION}}
    ids: Sequence[str] = [found["_id"] for found in _collection().find(old, {"_id": 1}).limit(PURGED_AT_ONCE)]
    return int(_collection().delete_many({"_id": {"$in": ids}, **old}).deleted_count) if ids else 0


def _close(ids: Sequence[str], state: str, by: str, unless: str = "") -> None:
    change = {"state": state, "by": by, "at": datetime.now(UTC)}
    _collection().update_many({"_id": {"$in": ids}, "state": {"$ne": unless}}, {"$set": change})


def _collection() -> Any:
    return DeadLetter._get_collection()
