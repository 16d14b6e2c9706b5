"""Reads the copy for comparisons: ids, sequences and checksums computed from the content."""

from collections.abc import Iterator, Sequence
from typing import Any

from pymongo.collection import Collection

from client.replica.content import FIELDS, applied_at_of, content_of, entry_of, failure_of, problem_in
from client.replica.documents import ProductCopy, SyncFailure
from client.store import MAJORITY, by_ids
from contract.digests import Entry
from contract.messages import format_time

BATCH = 250  # documents in memory at once
MAX_SHOWN = 20_000  # characters of one value; no valid product has a longer one


def documents(after: int, upto: int, limit: int) -> Iterator[dict[str, Any]]:
    """Stream the documents with ids in (after, upto], by id, at most ``limit``."""
    where = {"_id": {"$gt": after, "$lte": upto}}
    yield from _copy().find(where, FIELDS).sort("_id", 1).limit(limit).batch_size(BATCH)


def listed(product_ids: Sequence[int]) -> list[Entry]:
    """Return the entries of those of ``product_ids`` that are stored."""
    return [entry_of(document) for document in by_ids(_copy(), product_ids, FIELDS)]


def one(product_id: int) -> dict[str, Any] | None:
    """Return all that is stored of a product, for a detailed comparison; None where nothing is."""
    document = _copy().find_one({"_id": product_id}, FIELDS)
    if document is None:
        return None
    failure = SyncFailure._get_collection().find_one({"_id": product_id}) or {}
    return {
        **entry_of(document)._asdict(),
        "problem": problem_in(document),
        "deleted": bool(document.get("deleted")),
        "stored_checksum": _cut(str(document.get("checksum", ""))),
        "applied_at": format_time(applied) if (applied := applied_at_of(document)) else None,
        "content": {name: _cut(text) for name, text in content_of(document).items()},
        "likes": likes if isinstance(likes := document.get("likes"), int) else 0,
        "failure": failure_of(failure)[1],
    }


def _cut(text: str) -> str:
    """Shorten ``text``: a manual edit may have megabytes."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text):,} characters)"


def _copy() -> Collection:
    copy: Collection = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    return copy
