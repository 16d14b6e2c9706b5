"""A6, the Client's side: what is held of the products that Admin asks about."""

from collections.abc import Sequence
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from client.extensions import MAJORITY, by_ids, database
from client.products.content import checksum_of
from client.products.documents import ProductCopy, SyncFailure
from tasks.messages import format_time

_MARKS = "admin"  # the id of the one document of ``sync_marks``


def held(product_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return, for each id held or refused: ver (0: nothing held), checksum, applied_at, failed_ver, failure.

    The checksum is made from the content that is there, not read from beside it. Read from the primary with
    majority concern: what a failover could roll back is not proven.
    """
    if not product_ids:
        return []
    copies = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    failures = SyncFailure._get_collection().with_options(read_concern=MAJORITY)
    found = {doc["_id"]: doc for doc in by_ids(copies, product_ids, {"words": 0})}
    refused = {doc["_id"]: doc for doc in by_ids(failures, product_ids)}
    return [_show(id_, found.get(id_), refused.get(id_, {})) for id_ in found.keys() | refused.keys()]


def exchange_marks(mark: int, epoch: int, acknowledged: int = 0) -> int:
    """Keep the highest mark and epoch that Admin ever told; return the highest mark kept before.

    Admin sees from it whether this store was restored from a backup, or its own was (admin.replication.marks).
    Nothing may paint over a restore before Admin has heard of it: the mark stays where it is while it is another than
    was ``acknowledged``, as this answer may get lost, and it is written by compare-and-set. A negative
    ``acknowledged`` is told after a recovery: the mark is taken whatever is known.
    """
    marks = database()["sync_marks"].with_options(read_concern=MAJORITY)
    while True:
        found = marks.find_one({"_id": _MARKS})
        known = int(found.get("mark", 0)) if found else 0
        told = {"mark": mark if acknowledged < 0 or acknowledged == known else known, "epoch": epoch}
        if found is None:
            kept = _first(marks, told)
        elif told["mark"] <= known and epoch <= found.get("epoch", 0):
            return known
        else:
            seen = {"_id": _MARKS, "mark": found.get("mark")}
            kept = bool(marks.update_one(seen, {"$max": told}).matched_count)
        if kept:
            return known


def _first(marks: Collection, told: dict[str, int]) -> bool:
    try:
        marks.insert_one({"_id": _MARKS, **told})
    except DuplicateKeyError:
        return False
    return True


def _show(product_id: int, copy: dict[str, Any] | None, failure: dict[str, Any]) -> dict[str, Any]:
    applied = copy and copy.get("applied_at")
    return {
        "id": product_id,
        "ver": copy["ver"] if copy else 0,
        "checksum": checksum_of(copy) if copy else "",
        "applied_at": format_time(applied) if applied else None,
        "failed_ver": failure.get("ver", 0),
        "failure": failure.get("reason"),
    }
