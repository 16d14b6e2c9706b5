"""A5: write product states into the copy, each only where it is newer than what is held.

Duplicates, old messages and any order end in the same state; a deleted product never comes back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from client.products.content import document_of
from client.products.documents import SyncFailure
from client.reconcile import fresh_copy
from tasks import origins
from tasks.messages import CONTENT_NAMES, InvalidMessageError, ProductChanged

log = structlog.get_logger(__name__)

_DUPLICATE_KEY = 11000


def apply(messages: Iterable[ProductChanged]) -> int:
    """Apply ``messages`` in one unordered bulk write; return how many were newer than what was held.

    Raises pymongo's errors when the store does not answer; applying again is harmless.
    """
    newest: dict[int, ProductChanged] = {}
    for message in messages:
        if message.id not in newest or newest[message.id].ver < message.ver:
            newest[message.id] = message
    if not newest:
        return 0
    for collection in fresh_copy.written():  # the live one comes last
        applied = write(collection, list(newest.values()))
    SyncFailure._get_collection().delete_many({"_id": {"$in": list(newest)}})
    origins.tell(log, "applied", list(newest.values()), newer=applied)
    return applied


def note_failure(error: InvalidMessageError) -> None:
    """Keep the reason for refusing a message whose product could be read."""
    if error.product_id is None:
        return
    SyncFailure._get_collection().replace_one(
        {"_id": error.product_id},
        {"ver": error.ver or 0, "reason": error.reason, "at": datetime.now(UTC)},
        upsert=True,
    )


def write(collection: Collection, messages: Sequence[ProductChanged]) -> int:
    """Write ``messages``, one per product, to ``collection`` where they are newer; return how many were."""
    operations = [_operation(message, upsert=True) for message in messages]
    try:
        return _newer(collection.bulk_write(operations, ordered=False).bulk_api_result)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if any(item["code"] != _DUPLICATE_KEY for item in failed):
            raise
        # The id exists: held is not older, or another task inserted it just now. Without upsert, once more.
        again = [_operation(messages[item["index"]], upsert=False) for item in failed]
        retried = collection.bulk_write(again, ordered=False).bulk_api_result
        return _newer(error.details) + _newer(retried)


def _newer(result: Mapping[str, Any]) -> int:
    return int(result["nUpserted"]) + int(result["nMatched"])


def _operation(message: ProductChanged, upsert: bool) -> UpdateOne:
    return overwrite(message, {"_id": message.id, "ver": {"$lt": message.ver}}, upsert)


def overwrite(message: ProductChanged, where: dict[str, Any], upsert: bool = False) -> UpdateOne:
    """Return the write that puts ``message``'s state over the document that matches ``where``."""
    change: dict[str, Any] = {
        "$set": {"ver": message.ver, "checksum": message.checksum, "deleted": message.product is None},
        "$currentDate": {"applied_at": True},  # the database's clock
    }
    if message.product is None:
        change["$unset"] = dict.fromkeys((*CONTENT_NAMES, "words"), "")
    else:
        change["$set"].update(document_of(message.product))
    if upsert:
        change["$setOnInsert"] = {"likes": 0}
    return UpdateOne(where, change, upsert=upsert)
