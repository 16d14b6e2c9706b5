"""After a database was restored from a backup: every like is told to Admin again, a chunk at a time (before L2).

Admin raises the epoch then and tells the Client (``sync_generations``, document ``admin``). The document
``likes`` beside it holds the epoch up to which likes were sent again, and how far it got with the next.
"""

from datetime import UTC, datetime
from typing import Any

import structlog

from client.likes.documents import Like, pending_again, update_each
from client.store import database

log = structlog.get_logger(__name__)

CHUNK = 500
MARK = "likes"


def progress() -> dict[str, Any] | None:
    """Return ``epoch``, which likes are told again for, and ``after``, the id it got to; None when all are told."""
    marks = {mark["_id"]: mark for mark in database()["sync_generations"].find({"_id": {"$in": ["admin", MARK]}})}
    epoch, ours = marks.get("admin", {}).get("epoch", 0), marks.get(MARK, {})
    if ours.get("epoch", 0) >= epoch:
        return None
    # A raise in the middle of it: from the start.
    return {"epoch": epoch, "after": ours.get("after", "") if ours.get("towards") == epoch else ""}


def next_chunk() -> bool:
    """Make the next likes pending that a recovery has not told Admin again; return whether there were any.

    Called when nothing else is pending, so new likes never wait behind these. Repeating a chunk is harmless.
    """
    unfinished = progress()
    if unfinished is None:
        return False
    likes, marks = Like._get_collection(), database()["sync_generations"]
    found = likes.find({"_id": {"$gt": unfinished["after"]}}, {"_id": 1}).sort("_id", 1).limit(CHUNK)
    ids = [like["_id"] for like in found]
    if not ids:
        done = {"$max": {"epoch": unfinished["epoch"]}, "$unset": {"towards": "", "after": ""}}
        marks.update_one({"_id": MARK}, done, upsert=True)
        log.info("every like was told to Admin again", epoch=unfinished["epoch"])
        return False
    again = pending_again(datetime.now(UTC))
    again["$set"]["restored"] = True
    # What is pending already is either new, or finds its way by its time (L6).
    update_each(ids, {"pending": {"$ne": True}}, again)
    marks.update_one({"_id": MARK}, {"$set": {"towards": unfinished["epoch"], "after": ids[-1]}}, upsert=True)
    return True
