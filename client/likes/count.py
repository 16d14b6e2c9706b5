"""L3: bring each product's count up to its like set, exactly, in one transaction per batch."""

import random
import time
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import structlog
from pymongo import UpdateMany
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from client.leases import patient_lease
from client.likes.documents import Like, read
from client.replica.documents import ProductCopy
from client.store import OUTAGES, bounded_session, portions, was_in_conflict

log = structlog.get_logger(__name__)

BATCH = 200  # shoppers who toggle one of these wait for the transaction
LEASE, HOLD = "count likes", timedelta(seconds=3)
_HOLD_SECONDS = HOLD.total_seconds()
_TURN = _HOLD_SECONDS / 3  # seconds within which batches begin under one lease; the last one ends before the lease does
_CONFLICT_REST = 0.05  # seconds, at most


def count(patience: float = 0.0) -> int:
    """Count every uncounted like; return how many. One process at a time.

    Where another is at it: waits ``patience`` seconds for it, then returns; what is left is the sweep's (L7).
    """
    total = 0
    # Looked at again after the lease's end: whoever was turned away meanwhile left its like to us.
    while _uncounted(1):
        with patient_lease(LEASE, HOLD, patience) as mine:
            counted = _take_turn() if mine else 0
        if not counted:
            break
        total += counted
    return total


def _uncounted(limit: int) -> list[dict[str, Any]]:
    return [like for like in list(Like._get_collection().find({"uncounted": True}).limit(limit)) if read(like)]


def _take_turn() -> int:
    """Count batches under the lease; return how many likes that were.

    Smaller batches after a conflict: a hot product's shoppers keep toggling meanwhile.
    """
    total, size, began = 0, BATCH, time.monotonic()
    while (spent := time.monotonic() - began) < _TURN and (batch := _uncounted(size)):
        if _count_batch(batch, _HOLD_SECONDS - spent):
            total += len(batch)
            size = min(2 * size, BATCH)
        else:
            size = max(1, size // 4)
            time.sleep(random.uniform(0, _CONFLICT_REST))
    return total


def _count_batch(batch: list[dict[str, Any]], seconds: float) -> bool:
    """Return whether ``batch`` was counted, within ``seconds``; False: another writer was in the way."""
    try:
        with bounded_session(seconds) as session, session.start_transaction():
            _apply(session, batch)
    except _ChangedMeanwhileError:
        return False
    except OUTAGES:
        raise
    except OperationFailure as error:
        if not was_in_conflict(error):
            raise
        return False
    return True


class _ChangedMeanwhileError(Exception):
    """A like of the batch changed after it was read; the transaction ends without effect."""


def _apply(session: ClientSession, batch: list[dict[str, Any]]) -> None:
    """Mark exactly the states that were read as counted, and add what that changes: one command for each."""
    states: dict[tuple[int, bool], list[str]] = defaultdict(list)
    net: Counter[int] = Counter()
    for like in batch:
        states[like["revision"], like["liked"]].append(like["_id"])
        net[like["product"]] += like["liked"] - (like.get("counted") is True)
    marks = [_mark(revision, liked, some) for (revision, liked), ids in states.items() for some in portions(ids)]
    if Like._get_collection().bulk_write(marks, session=session).matched_count != len(batch):
        raise _ChangedMeanwhileError
    changes: dict[int, list[int]] = defaultdict(list)
    for product, n in sorted(net.items()):
        changes[n].append(product)
    # Grouped by what is added: a store takes one write of many documents in a fraction of many writes.
    adds = [_add(n, some) for n, ids in changes.items() if n for some in portions(ids)]
    if adds:
        ProductCopy._get_collection().bulk_write(adds, session=session)


_COUNTABLE = {"$type": ["int", "long"], "$not": {"$type": "array"}, "$gt": -(1 << 62), "$lt": 1 << 62}


def _add(n: int, products: list[int]) -> UpdateMany:
    # A count that is no number, which only a hand could write, must not end the batch: a repair counts it anew.
    return UpdateMany({"_id": {"$in": products}, "likes": _COUNTABLE}, {"$inc": {"likes": n}})


def _mark(revision: int, liked: bool, ids: list[str]) -> UpdateMany:
    as_read = {"_id": {"$in": ids}, "revision": revision, "uncounted": True}
    return UpdateMany(as_read, {"$set": {"counted": liked}, "$unset": {"uncounted": ""}})
