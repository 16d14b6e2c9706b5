"""A5: write product states into the copy, each only where it is newer than what is held.

Duplicates, old messages and any order end in the same state; a deleted product never comes back.
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
    """Apply ``messages`` in unordered bulk writes, a line of the log for each; return how many were newer than what was
    held.

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
        # The id exists: held is not older, or another task inserted it just now. Without upsert, once more.
        again = [_update(newer[item["index"]], upsert=False) for item in failed]
        retried = bulk_write(collection, again).bulk_api_result
        return _written(error.details) + _written(retried)


def _plan(collection: Collection, messages: Sequence[ProductChanged]) -> tuple[Sequence[ProductChanged], list[Any]]:
    """Return those of ``messages`` that are newer, and the write for each.

    A batch asks what is held first: an insert costs a store a fraction of an upsert, and what is old needs no write.
    The answer may be out of date by then; each write holds all the same.
    """
    if len(messages) == 1:
        return messages, [_update(messages[0], upsert=True)]
    found = by_ids(collection, [message.id for message in messages], {"sequence": 1})
    held = {document["_id"]: document.get("sequence") for document in found}
    newer = [message for message in messages if not _is_old(message, held.get(message.id))]
    now = clock()
    return newer, [_update(m, upsert=True) if m.id in held else _insert(m, now) for m in newer]


def _is_old(message: ProductChanged, held: Any) -> bool:
    """Whether a version like ``held`` makes the message old; what else somebody wrote there decides nothing."""
    return isinstance(held, int) and held >= message.sequence


def _written(result: Mapping[str, Any]) -> int:
    return int(result["nInserted"]) + int(result["nUpserted"]) + int(result["nMatched"])


def _insert(message: ProductChanged, now: datetime) -> InsertOne:
    return InsertOne({"_id": message.id, **_state(message), "applied_at": now, "likes": 0})


def _update(message: ProductChanged, upsert: bool) -> UpdateOne:
    return overwrite(message, {"_id": message.id, "sequence": {"$lt": message.sequence}}, upsert)


def overwrite(message: ProductChanged, where: dict[str, Any], upsert: bool = False) -> UpdateOne:
    """Return the write that puts ``message``'s state over the document that matches ``where``."""
    change: dict[str, Any] = {"$set": _state(message), "$currentDate": {"applied_at": True}}  # the database's clock
    if message.product is None:
        change["$unset"] = dict.fromkeys((*CONTENT_NAMES, "search_terms"), "")
    if upsert:
        change["$setOnInsert"] = {"likes": 0}
    return UpdateOne(where, change, upsert=upsert)


def exactly(document: dict[str, Any]) -> dict[str, Any]:
    """Return what matches ``document`` only as it was read: whoever changed it since knows better.

    By ``$eq``, whatever a hand wrote there; None also matches a field that is not there.
    """
    return {name: {"$eq": document.get(name)} for name in ("_id", "sequence", "checksum")}


def _state(message: ProductChanged) -> dict[str, Any]:
    content = document_of(message.product) if message.product else {}
    return {"sequence": message.sequence, "checksum": message.checksum, "deleted": message.product is None, **content}
