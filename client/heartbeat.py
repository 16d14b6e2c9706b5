"""Heartbeats of the relay and the worker in the store, from which the shop reads what is delayed."""

import time
from datetime import UTC, datetime

import structlog
from pymongo.errors import PyMongoError

from client.store import clock, database

ADMIN, WORKER = "admin", "worker"  # Admin's relay verified copies; a worker forwarded likes
EVERY = 3.0  # seconds between two writes of one process

log = structlog.get_logger(__name__)
_recorded: dict[str, float] = {}


def record(process: str) -> None:
    """Record a heartbeat of ``process`` by the database's clock. Raises nothing."""
    if time.monotonic() - _recorded.get(process, -EVERY) < EVERY:
        return
    _recorded[process] = time.monotonic()
    try:
        database()["heartbeats"].update_one({"_id": process}, {"$currentDate": {"at": True}}, upsert=True)
    except PyMongoError as error:
        log.warning("heartbeat not recorded", process=process, error=str(error))


def latest() -> tuple[dict[str, datetime], datetime]:
    """Return the time of each process's last heartbeat, and the time now, by the database's clock."""
    heartbeats = {heartbeat["_id"]: heartbeat["at"] for heartbeat in database()["heartbeats"].find()}
    return heartbeats, clock().replace(tzinfo=UTC)
