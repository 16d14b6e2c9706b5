"""What people do with dead letters: replay is a resync of their products, never the old message again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from client.admin_gateway import AdminGateway, AdminUnavailableError
from client.dead_letters.documents import DISCARDED, NEW, REPLAYED, REPLAYING, SETTLED, DeadLetter
from client.images import wanted
from client.replica.resync import resync

log = structlog.get_logger(__name__)

KEPT = timedelta(days=30)  # after it was settled
PURGED_AT_ONCE = 1_000
OVERDUE = timedelta(seconds=30)  # a replay that did not end by then was lost, or Admin was away
TRIED_AT_ONCE = 100


class NotReplayableError(Exception):
    """There is nothing to resync; the text says why."""


class AlreadyReplayedError(Exception):
    """What was replayed stays marked as such."""


def replay(gateway: AdminGateway, letter: dict[str, Any], by: str) -> list[int]:
    """Make the copies of ``letter``'s products equal Admin's, deleted or not, then mark it; return their ids.

    Raises NotReplayableError, AdminUnavailableError, and pymongo's errors when the store does not answer; the
    letter is then what it was.
    """
    ids = product_ids(letter)
    done = resync(gateway, ids)
    wanted.note(done.states)
    if len(done.unknown) == len(ids):
        raise NotReplayableError(f"Admin never had product {', '.join(map(str, done.unknown))}; discard the letter")
    _collection().update_one({"_id": letter["_id"]}, {"$set": _state(REPLAYED, by)})
    return ids


def product_ids(letter: dict[str, Any]) -> list[int]:
    """Return the products that ``letter`` was about. Raises NotReplayableError when it names none."""
    if not letter["products"]:
        raise NotReplayableError("it names no product that could be fetched again; discard the letter")
    return [product["id"] for product in letter["products"]]


def request_replay(letter: dict[str, Any], by: str) -> None:
    """Let a worker replay ``letter``; whoever calls enqueues the task. Raises NotReplayableError."""
    product_ids(letter)
    _collection().update_one({"_id": letter["_id"]}, {"$set": {**_state(REPLAYING, by), "tried_at": datetime.now(UTC)}})


def finish_replay(gateway: AdminGateway, letter_id: str) -> None:
    """Replay what was requested. While Admin is away the letter stays ``replaying``; the sweep tries again."""
    letter = _collection().find_one({"_id": letter_id, "state": REPLAYING})
    if letter is None:
        return
    try:
        replay(gateway, letter, letter["by"])
    except AdminUnavailableError as outage:
        log.warning("replay waits", letter=letter_id, reason=str(outage))
        _collection().update_one({"_id": letter_id, "state": REPLAYING}, {"$set": {"error": str(outage)}})
    except NotReplayableError as error:
        change = {**_state(NEW, letter["by"]), "error": str(error)}
        _collection().update_one({"_id": letter_id, "state": REPLAYING}, {"$set": change})


def overdue() -> list[str]:
    """Return requested replays whose task must have been lost or found Admin away; each is due again later."""
    now = datetime.now(UTC)
    found = _collection().find({"state": REPLAYING, "tried_at": {"$lt": now - OVERDUE}}, {"_id": 1})
    ids = [letter["_id"] for letter in found.limit(TRIED_AT_ONCE)]
    if ids:
        _collection().update_many({"_id": {"$in": ids}}, {"$set": {"tried_at": now}})
    return ids


def discard(letter: dict[str, Any], by: str) -> None:
    """Put ``letter`` aside for good; its products are left as they are. Raises AlreadyReplayedError."""
    if letter["state"] == REPLAYED:
        raise AlreadyReplayedError("it was replayed already")
    where = {"_id": letter["_id"], "state": {"$ne": REPLAYED}}
    _collection().update_one(where, {"$set": _state(DISCARDED, by)})


def purge(now: datetime | None = None) -> int:
    """Remove a chunk of the letters that were settled long ago; return how many. New ones are never removed."""
    old = {"state": {"$in": SETTLED}, "at": {"$lt": (now or datetime.now(UTC)) - KEPT}}
    ids: Sequence[str] = [letter["_id"] for letter in _collection().find(old, {"_id": 1}).limit(PURGED_AT_ONCE)]
    return int(_collection().delete_many({"_id": {"$in": ids}, **old}).deleted_count) if ids else 0


def _state(state: str, by: str) -> dict[str, Any]:
    return {"state": state, "by": by, "at": datetime.now(UTC), "error": ""}


def _collection() -> Any:
    return DeadLetter._get_collection()
