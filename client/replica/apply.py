"""Writes product states into the copy, each only where it is newer than the stored one.

Duplicates, old messages and any order lead to the same state; a deleted product never comes back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from client.replica import failures
from client.replica.content import document_of
from client.replica.documents import ProductCopy
from client.store import bulk_write, by_ids, clock
from contract import causation
from contract.messages import CONTENT_NAMES, ProductChanged

log = structlog.get_logger(__name__)

_DUPLICATE_KEY = 11000


def apply(messages: Iterable[ProductChanged]) -> int:
    """Apply ``messages`` in unordered bulk writes and log each; return how many were newer than the stored state.

    Raises pymongo's errors when the store does not answer; applying again is harmless.
    """
    newest: dict[int, ProductChanged] = {}
    for message in messages:
        if message.id not in newest or newest[message.id].sequence < message.sequence:
            newest[message.id] = message
    states, size = list(newest.values()), causation.PER_LINE
    return sum(_apply(states[start : start + size]) for start in range(0, len(states), size))


def _apply(states: list[ProductChanged]) -> int:
    applied = write(ProductCopy._get_collection(), states)
    failures.clear({state.id: state.sequence for state in states})
    causation.log_items(log, "applied", states, newer=applied)
    return applied


def write(collection: Collection, messages: Sequence[ProductChanged]) -> int:
    """Write ``messages``, one per product, to ``collection`` where they are newer; return how many were."""
    newer, operations = _plan(collection, messages)
    if not operations:
        return 0
    try:
        return _written(bulk_write(collection, operations).bulk_api_result)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if any(item["code"] != _DUPLICATE_KEY for item in failed):
            raise
        # The id exists: the stored state is not older, or another task has just inserted it. Retry without upsert.
        again = [_update(newer[item["index"]], upsert=False) for item in failed]
        retried = bulk_write(collection, again).bulk_api_result
        return _written(error.details) + _written(retried)


def _plan(collection: Collection, messages: Sequence[ProductChanged]) -> tuple[Sequence[ProductChanged], list[Any]]:
    """Return those of ``messages`` that are newer, and the write for each.

    A batch first reads the stored sequences: an insert is much cheaper than an upsert, and an old message needs no
    write. If they changed by then, each write still applies only where it is newer.
    """
    if len(messages) == 1:
        return messages, [_update(messages[0], upsert=True)]
    found = by_ids(collection, [message.id for message in messages], {"sequence": 1})
    stored = {document["_id"]: document.get("sequence") for document in found}
    newer = [message for message in messages if not _is_old(message, stored.get(message.id))]
    now = clock()
    return newer, [_update(m, upsert=True) if m.id in stored else _insert(m, now) for m in newer]


def _is_old(message: ProductChanged, stored: Any) -> bool:
    """Return whether the sequence ``stored`` makes ``message`` old; a malformed one does not."""
    return isinstance(stored, int) and stored >= message.sequence


def _written(result: Mapping[str, Any]) -> int:
    return int(result["nInserted"]) + int(result["nUpserted"]) + int(result["nMatched"])


def _insert(message: ProductChanged, now: datetime) -> InsertOne:
    return InsertOne({"_id": message.id, **_state(message), "applied_at": now, "likes": 0})


def _update(message: ProductChanged, upsert: bool) -> UpdateOne:
    return overwrite(message, {"_id": message.id, "sequence": {"$lt": message.sequence}}, upsert)


def overwrite(message: ProductChanged, where: dict[str, Any], upsert: bool = False) -> UpdateOne:
    """Return the write that replaces the state of the document that matches ``where`` by that of ``message``."""
    change: dict[str, Any] = {"$set": _state(message), "$currentDate": {"applied_at": True}}  # the database's clock
    if message.product is None:
        change["$unset"] = dict.fromkeys((*CONTENT_NAMES, "search_terms"), "")
    if upsert:
        change["$setOnInsert"] = {"likes": 0}
    return UpdateOne(where, change, upsert=upsert)


def exactly(document: dict[str, Any]) -> dict[str, Any]:
    """Return the filter that matches ``document`` only while it is as it was read.

    ``$eq`` also compares malformed values; None also matches a missing field.
    """
    return {name: {"$eq": document.get(name)} for name in ("_id", "sequence", "checksum")}


def _state(message: ProductChanged) -> dict[str, Any]:
    content = document_of(message.product) if message.product else {}
    return {"sequence": message.sequence, "checksum": message.checksum, "deleted": message.product is None, **content}
