"""What the copy really holds, for comparisons: ids, vers and the checksums of the content that is there."""

from collections.abc import Iterator, Sequence
from typing import Any

from pymongo.collection import Collection

from client.extensions import MAJORITY, by_ids, database
from client.products.content import checksum_of, content_of
from client.products.documents import ProductCopy, SyncFailure
from tasks.digests import Entry
from tasks.messages import format_time

BATCH = 250  # documents in memory at once
LIVE = "products"


def entries(after: int, upto: int, limit: int, copy: str = LIVE) -> Iterator[Entry]:
    """Stream the entries with ids in (after, upto], by id, at most ``limit``, of the collection ``copy``."""
    where = {"_id": {"$gt": after, "$lte": upto}}
    found = _copy(copy).find(where, {"words": 0}).sort("_id", 1).limit(limit).batch_size(BATCH)
    return map(entry_of, found)


def listed(product_ids: Sequence[int], copy: str = LIVE) -> list[Entry]:
    """Return the entries of ``product_ids``; ids that are not held are missing."""
    return [entry_of(document) for document in by_ids(_copy(copy), product_ids, {"words": 0})]


def entry_of(document: dict[str, Any]) -> Entry:
    """Return what ``document`` holds; a ver that is no number, which only a hand could write, counts as 0."""
    ver = document.get("ver")
    number = ver if isinstance(ver, int) and not isinstance(ver, bool) else 0
    return Entry(int(document["_id"]), number, checksum_of(document))


def one(product_id: int) -> dict[str, Any] | None:
    """Return everything held of a product, for a person to compare; None when nothing is."""
    document = _copy(LIVE).find_one({"_id": product_id})
    if document is None:
        return None
    failure = SyncFailure._get_collection().find_one({"_id": product_id}) or {}
    applied = document.get("applied_at")
    return {
        **entry_of(document)._asdict(),
        "deleted": bool(document.get("deleted")),
        "stored_checksum": str(document.get("checksum", "")),
        "applied_at": format_time(applied) if applied else None,
        "content": content_of(document),
        "likes": document.get("likes", 0),
        "failure": failure.get("reason"),
    }


def _copy(name: str) -> Collection:
    live = ProductCopy._get_collection() if name == LIVE else database()[name]
    return live.with_options(read_concern=MAJORITY)
