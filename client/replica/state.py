"""A6, the Client's side: what is held of the products that Admin asks about."""

from collections.abc import Sequence
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from client.replica.content import FIELDS, applied_at_of, checksum_of, failure_of, id_of, problem_in, ver_of
from client.replica.documents import ProductCopy, SyncFailure
from client.store import MAJORITY, by_ids, database

_MARKS = "admin"  # the id of the one document of ``sync_marks``


def held(product_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return, for each id held or refused: ver (0: nothing held), checksum, problem, applied_at, failed_ver, failure.

    ``problem`` says why no message of ours could have made what is held; None where one could.

    The checksum is made from the content that is there, not read from beside it. Read from the primary with
    majority concern: what a failover could roll back is not proven.
    """
    if not product_ids:
        return []
    copies = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    failures = SyncFailure._get_collection().with_options(read_concern=MAJORITY)
    found = {id_of(doc) or 0: doc for doc in by_ids(copies, product_ids, FIELDS)}
    refused = {id_of(doc) or 0: doc for doc in by_ids(failures, product_ids)}
    return [_show(id_, found.get(id_), refused.get(id_, {})) for id_ in found.keys() | refused.keys()]


def exchange_marks(mark: int, epoch: int, acknowledged: int = 0) -> int:
    """Keep the highest mark and epoch that Admin ever told; return the highest mark kept before.

    Admin sees from it whether this store was restored from a backup, or its own was (admin.relay.restore_detection).
    Nothing may paint over a restore before Admin has heard of it: the mark stays where it is while it is another than
    was ``acknowledged``, as this answer may get lost, and it is written by compare-and-set. A negative
    ``acknowledged`` is told after a recovery: the mark is taken whatever is known.
    """
    marks = database()["sync_marks"].with_options(read_concern=MAJORITY)
    while True:
        found = marks.find_one({"_id": _MARKS})
        known, known_epoch = (_number(found, name) for name in ("mark", "epoch"))
        told = {"mark": mark if acknowledged < 0 or acknowledged == known else known, "epoch": max(epoch, known_epoch)}
        told["mark"] = max(told["mark"], known)
        if found is None:
            kept = _first(marks, told)
        elif told == {"mark": known, "epoch": known_epoch}:
            return known
        else:
            seen = {"_id": _MARKS, **{name: {"$eq": found.get(name)} for name in ("mark", "epoch")}}
            kept = bool(marks.update_one(seen, {"$set": told}).matched_count)
        if kept:
            return known


def _number(found: dict[str, Any] | None, name: str) -> int:
    """Return a number of the document's; what a hand made of it counts as 0, as in an empty store."""
    value = (found or {}).get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _first(marks: Collection, told: dict[str, int]) -> bool:
    try:
        marks.insert_one({"_id": _MARKS, **told})
    except DuplicateKeyError:
        return False
    return True


def _show(product_id: int, copy: dict[str, Any] | None, failure: dict[str, Any]) -> dict[str, Any]:
    failed_ver, reason = failure_of(failure)
    return {
        "id": product_id,
        "ver": ver_of(copy) if copy else 0,
        "checksum": checksum_of(copy) if copy else "",
        "problem": problem_in(copy) if copy else None,
        "applied_at": applied_at_of(copy) if copy else None,
        "failed_ver": failed_ver,
        "failure": reason,
    }
