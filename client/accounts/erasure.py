"""Erasing a shopper's account: the sign-in first, then the likes, on both sides.

A record of it in ``erasures`` (the opaque id, nothing else) outlives a crash at any point; the sweep (L7) goes on from
there. The likes stay as documents without anyone's name: as unlikes, which Admin is told of like any other.
"""

from datetime import UTC, datetime, timedelta

import structlog

from client.accounts.documents import Shopper
from client.likes.service import unlike_all
from client.store import database

log = structlog.get_logger(__name__)

# A request that was signed in when the account went may still write a like; none takes this long.
LAST_REQUESTS = timedelta(minutes=2)


def erase(user: str) -> None:
    """Erase the account ``user`` and take its likes back. Repeating it is harmless."""
    now = datetime.now(UTC)
    database()["erasures"].update_one({"_id": user}, {"$setOnInsert": {"at": now}}, upsert=True)
    _go_on(user)


def erase_email(email: str) -> bool:
    """Erase the account of ``email``; return whether there was one."""
    shopper = Shopper.objects(email=email.lower()).first()
    if shopper is None:
        return False
    erase(shopper.id)
    return True


def resume() -> int:
    """Go on with erasures that a crash cut short, and close those that no request can undo; return the likes."""
    unfinished = list(database()["erasures"].find())
    taken_back = sum(_go_on(erasure["_id"]) for erasure in unfinished)
    for erasure in unfinished:
        if erasure["at"] < datetime.now(UTC) - LAST_REQUESTS:
            database()["erasures"].delete_one({"_id": erasure["_id"]})
    return taken_back


def _go_on(user: str) -> int:
    """Take back every like; the last look finds none, so nothing older than this call is left."""
    Shopper.objects(id=user).delete()
    total = 0
    while taken_back := unlike_all(user):
        total += taken_back
    log.info("account erased", user=user, likes=total)
    return total
