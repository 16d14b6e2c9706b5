"""Erases a shopper's account: the sign-in first, then the likes, on both sides.

A record in ``erasures`` (the opaque id only) survives a crash at any point, and the task forward_likes resumes it. The
likes stay as anonymous documents: as unlikes, which are forwarded to Admin.
"""

from datetime import UTC, datetime, timedelta

import structlog

from client.accounts.documents import Shopper
from client.likes.service import unlike_all
from client.store import database

log = structlog.get_logger(__name__)

# A request that was signed in when the account was erased may still write a like; no request takes longer.
LAST_REQUESTS = timedelta(minutes=2)


def erase(user: str) -> None:
    """Erase the account ``user`` and take its likes back. Repeating it is harmless."""
    now = datetime.now(UTC)
    database()["erasures"].update_one({"_id": user}, {"$setOnInsert": {"at": now}}, upsert=True)
    _erase(user)


def erase_email(email: str) -> bool:
    """Erase the account of ``email``; return whether there was one."""
    shopper = Shopper.objects(email=email.lower()).first()
    if shopper is None:
        return False
    erase(shopper.id)
    return True


def resume() -> int:
    """Resume unfinished erasures and remove the records of old ones; return the number of likes taken back."""
    unfinished = list(database()["erasures"].find())
    taken_back = sum(_erase(erasure["_id"]) for erasure in unfinished)
    for erasure in unfinished:
        if erasure["at"] < datetime.now(UTC) - LAST_REQUESTS:
            database()["erasures"].delete_one({"_id": erasure["_id"]})
    return taken_back


def _erase(user: str) -> int:
    """Delete the account and take its likes back until none is left."""
    Shopper.objects(id=user).delete()
    total = 0
    while taken_back := unlike_all(user):
        total += taken_back
    log.info("account erased", user=user, likes=total)
    return total
