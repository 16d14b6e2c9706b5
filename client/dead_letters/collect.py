"""Moves dead letters from the broker's queue into the store. Each is stored before it is acknowledged.

Reading the queue without removing messages would use up their deliveries (RabbitMQ 4 drops a message at a limit), and
a queue cannot record which messages were resynced. See docs/decisions/0006.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.transport.base import Message
from pymongo.errors import DuplicateKeyError

from client.dead_letters.diagnosis import DELIVERY_LIMIT
from client.dead_letters.documents import DeadLetter
from client.dead_letters.reading import read
from client.replica import failures
from client.store import database
from contract import names, topology
from contract.app import app
from runtime.masking import mask

log = structlog.get_logger(__name__)

MAX_PER_RUN, MAX_SECONDS = 1_000, 15.0  # messages, seconds
MAX_STORED = 100_000  # dead letters; further ones stay in the queue
READ_SECONDS = 10  # timeout for one answer of the broker


class BrokerUnavailableError(Exception):
    """The broker does not answer; the dead letters stay in its queue."""


def broker() -> Connection:
    """Return a connection, not opened yet, to the broker in the settings."""
    return app.connection_for_read(transport_options={"read_timeout": READ_SECONDS})


def collect(connection: Connection, limit: int = MAX_STORED) -> int:
    """Move dead letters from the queue into the store, until it contains ``limit``; return how many were moved.

    Several processes may collect at once. Does nothing on a broker without dead letters (Valkey). Raises
    BrokerUnavailableError, and pymongo's errors when the store does not answer.
    """
    _check_store()
    if connection.transport.driver_type != "amqp":
        return 0
    free = limit - DeadLetter._get_collection().estimated_document_count()
    if free <= 0:
        log.error("too many dead letters are stored; further ones stay in the queue", limit=limit)
        return 0
    moved, deadline = 0, time.monotonic() + MAX_SECONDS
    with _dead_letters(connection) as channel:
        while moved < min(free, MAX_PER_RUN) and time.monotonic() < deadline:
            raw = channel.basic_get(names.QUEUE_DEAD)
            if raw is None:
                break
            message = channel.message_to_python(raw)
            store(message)
            message.ack()
            moved += 1
    return moved


def store(message: Message) -> None:
    """Store ``message``. Storing it again changes nothing, whatever its state is now."""
    dead_letter, now = read(message), datetime.now(UTC)
    id_ = dead_letter.pop("_id")
    if dead_letter["cause"] == DELIVERY_LIMIT:
        failures.record_worker_lost(dead_letter["products"], dead_letter["reason"])
    try:
        DeadLetter._get_collection().update_one(
            {"_id": id_}, {"$setOnInsert": {**dead_letter, "collected_at": now, "at": now}}, upsert=True
        )
    except DuplicateKeyError:
        return  # another collector stored it at the same time
    described = {name: dead_letter[name] for name in ("task", "queue", "reason")}
    log.warning("dead letter", dead_letter=id_, **described)


def collected_at() -> datetime | None:
    """Return the time of the last collection by the database's clock, None before the first."""
    found: dict[str, Any] | None = database()["dead_letter_collector"].find_one({"_id": "last"})
    return found["at"] if found else None


def _check_store() -> None:
    """Fail before the first message is received: each one received and returned uses up a delivery."""
    now = {"$currentDate": {"at": True}}  # the database's clock: a worker's may be wrong
    database()["dead_letter_collector"].update_one({"_id": "last"}, now, upsert=True)


@contextmanager
def _dead_letters(connection: Connection) -> Iterator[Any]:
    outages: tuple[type[BaseException], ...] = connection.connection_errors + connection.channel_errors
    outages += (OperationalError,)
    try:
        connection.ensure_connection(max_retries=1, interval_start=0)  # connect() would sleep for two seconds
        topology.declare(connection)
        with connection.channel() as channel:
            yield channel
    except outages as error:
        raise BrokerUnavailableError(mask(f"The broker does not answer: {error}")) from error
    finally:
        connection.collect()  # closes the socket without an exchange that might hang
