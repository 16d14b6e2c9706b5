"""Counts likes: adds the net change of each product to its count, in one transaction per batch."""

import random
import time
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import structlog
from pymongo import UpdateMany
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from client.leases import wait_for_lease
from client.likes.documents import Like, read
from client.replica.documents import ProductCopy
from client.store import OUTAGES, bounded_session, portions, was_in_conflict

log = structlog.get_logger(__name__)

BATCH = 200  # a shopper who toggles one of these waits for the transaction
LEASE, LEASE_TIME = "count likes", timedelta(seconds=3)
_LEASE_SECONDS = LEASE_TIME.total_seconds()
_TURN_SECONDS = _LEASE_SECONDS / 3  # the last batch that begins within it ends before the lease
_MAX_CONFLICT_PAUSE = 0.05  # seconds


def count(timeout: float = 0.0) -> int:
    """Count every uncounted like; return how many. One process at a time.

    While another process counts, wait up to ``timeout`` seconds for it. Beat repeats the call for likes that are left.
    """
    total = 0
    # Read again after releasing the lease: a process that did not get it left its likes to this one.
    while _uncounted(1):
        with wait_for_lease(LEASE, LEASE_TIME, timeout) as mine:
            counted = _count_batches() if mine else 0
        if not counted:
            break
        total += counted
    return total


def _uncounted(limit: int) -> list[dict[str, Any]]:
    return [like for like in list(Like._get_collection().find({"uncounted": True}).limit(limit)) if read(like)]


def _count_batches() -> int:
    """Count batches under the lease; return how many likes. After a conflict the batches are smaller."""
    total, size, began = 0, BATCH, time.monotonic()
    while (spent := time.monotonic() - began) < _TURN_SECONDS and (batch := _uncounted(size)):
        if _count_batch(batch, _LEASE_SECONDS - spent):
            total += len(batch)
            size = min(2 * size, BATCH)
        else:
            size = max(1, size // 4)
            time.sleep(random.uniform(0, _MAX_CONFLICT_PAUSE))
    return total


def _count_batch(batch: list[dict[str, Any]], seconds: float) -> bool:
    """Count ``batch`` within ``seconds``; return False when it conflicted with another write."""
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
    """A like of the batch changed after it was read; the transaction is aborted."""


def _apply(session: ClientSession, batch: list[dict[str, Any]]) -> None:
    """Record exactly the states that were read as counted, and add the net changes: one command for each."""
    states: dict[tuple[int, bool], list[str]] = defaultdict(list)
    net: Counter[int] = Counter()
    for like in batch:
        states[like["revision"], like["liked"]].append(like["_id"])
        net[like["product"]] += like["liked"] - (like.get("counted") is True)
    counted = [_counted(revision, liked, some) for (revision, liked), ids in states.items() for some in portions(ids)]
    if Like._get_collection().bulk_write(counted, session=session).matched_count != len(batch):
        raise _ChangedMeanwhileError
    changes: dict[int, list[int]] = defaultdict(list)
    for product, n in sorted(net.items()):
        changes[n].append(product)
    # Grouped by the number to add: one write of many documents is much faster than many writes.
    adds = [_add(n, some) for n, ids in changes.items() if n for some in portions(ids)]
    if adds:
        ProductCopy._get_collection().bulk_write(adds, session=session)


_COUNTABLE = {"$type": ["int", "long"], "$not": {"$type": "array"}, "$gt": -(1 << 62), "$lt": 1 << 62}


def _add(n: int, products: list[int]) -> UpdateMany:
    # A malformed count, from a manual edit, must not abort the batch; a repair recounts it.
    return UpdateMany({"_id": {"$in": products}, "likes": _COUNTABLE}, {"$inc": {"likes": n}})


def _counted(revision: int, liked: bool, ids: list[str]) -> UpdateMany:
    as_read = {"_id": {"$in": ids}, "revision": revision, "uncounted": True}
    return UpdateMany(as_read, {"$set": {"counted": liked}, "$unset": {"uncounted": ""}})
