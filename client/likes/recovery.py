"""Makes every like pending again after a database was restored from a backup, a chunk at a time.

A recovery raises Admin's epoch, which the Client stores in ``sync_generations``, document ``admin``. The document
``likes`` beside it contains the epoch for which all likes were sent again, and the progress for the next epoch.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import structlog

from client.likes.documents import Like, pending_again, update_each
from client.store import database

log = structlog.get_logger(__name__)

CHUNK = 500
PROGRESS_ID = "likes"


def progress() -> dict[str, Any] | None:
    """Return ``epoch``, for which likes are sent again, and ``after``, the last id sent; None when all were sent."""
    stored = {doc["_id"]: doc for doc in database()["sync_generations"].find({"_id": {"$in": ["admin", PROGRESS_ID]}})}
    epoch, ours = stored.get("admin", {}).get("epoch", 0), stored.get(PROGRESS_ID, {})
    if ours.get("epoch", 0) >= epoch:
        return None
    # If the epoch was raised again, start from the first like.
    return {"epoch": epoch, "after": ours.get("after", "") if ours.get("towards") == epoch else ""}


def epoch() -> int:
    """Return Admin's epoch, as far as this side knows; a recovery raises it."""
    return int((database()["sync_generations"].find_one({"_id": "admin"}, {"epoch": 1}) or {}).get("epoch", 0))


def send_again(ids: Iterable[str]) -> None:
    """Make likes pending again, as after a restore. Repeating it is harmless."""
    again = pending_again(datetime.now(UTC))
    again["$set"]["restored"] = True
    # A like that is already pending is new, or its time decides (client/likes/apply_outcomes.py).
    update_each(ids, {"pending": {"$ne": True}}, again)


def next_chunk() -> bool:
    """Make the next CHUNK likes of a recovery pending; return whether there were any.

    Called when nothing else is pending, so that new likes are forwarded first. Repeating a chunk is harmless.
    """
    unfinished = progress()
    if unfinished is None:
        return False
    likes, generations = Like._get_collection(), database()["sync_generations"]
    found = likes.find({"_id": {"$gt": unfinished["after"]}}, {"_id": 1}).sort("_id", 1).limit(CHUNK)
    ids = [like["_id"] for like in found]
    if not ids:
        done = {"$max": {"epoch": unfinished["epoch"]}, "$unset": {"towards": "", "after": ""}}
        generations.update_one({"_id": PROGRESS_ID}, done, upsert=True)
        log.info("every like is sent again", epoch=unfinished["epoch"])
        return False
    send_again(ids)
    generations.update_one(
        {"_id": PROGRESS_ID}, {"$set": {"towards": unfinished["epoch"], "after": ids[-1]}}, upsert=True
    )
    return True
