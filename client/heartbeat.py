"""Signs of life that others leave in the store, so that the shop can tell what is delayed without asking anyone."""

import time
from datetime import UTC, datetime

import structlog
from pymongo.errors import PyMongoError

from client.store import clock, database

ADMIN, WORKER = "admin", "worker"  # Admin's relay asked about the copy; a worker swept the likes
EVERY = 3.0  # seconds between two notes of one process; more often says nothing new

log = structlog.get_logger(__name__)
_noted: dict[str, float] = {}


def note(who: str) -> None:
    """Note that ``who`` is at work now, by the database's clock. Never fails its caller."""
    if time.monotonic() - _noted.get(who, -EVERY) < EVERY:
        return
    _noted[who] = time.monotonic()
    try:
        database()["heartbeats"].update_one({"_id": who}, {"$currentDate": {"at": True}}, upsert=True)
    except PyMongoError as error:
        log.warning("a sign of life is lost", who=who, error=str(error))


def seen() -> tuple[dict[str, datetime], datetime]:
    """Return when each was last at work, and what the time is now, both by the database's clock."""
    heartbeats = {heartbeat["_id"]: heartbeat["at"] for heartbeat in database()["heartbeats"].find()}
    return heartbeats, clock().replace(tzinfo=UTC)
