"""From the broker's dead-letter queue into the store: written first, acknowledged afterwards.

Looking into the queue itself would spend its messages' deliveries (RabbitMQ 4 drops them at a limit), and it could
not remember what was replayed. See docs/decisions/0006.
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

MAX_PER_RUN, LONGEST = 1_000, 15.0  # messages, seconds
MAX_KEPT = 100_000  # letters; beyond it they stay in the queue
READ_SECONDS = 10  # for one answer of the broker, which may hang


class BrokerUnavailableError(Exception):
    """The broker does not answer; the dead letters stay where they are."""


def broker() -> Connection:
    """Return a connection to the broker of the settings, not open yet."""
    return app.connection_for_read(transport_options={"read_timeout": READ_SECONDS})


def collect(connection: Connection, limit: int = MAX_KEPT) -> int:
    """Move what lies in the dead-letter queue into the store, at most ``limit`` kept; return how many were moved.

    Any number may collect at once. Does nothing over a broker without dead letters (Valkey). Raises
    BrokerUnavailableError, and pymongo's errors when the store does not answer.
    """
    _check_store()
    if connection.transport.driver_type != "amqp":
        return 0
    room = limit - DeadLetter._get_collection().estimated_document_count()
    if room <= 0:
        log.error("too many dead letters are kept; the others stay in the queue", limit=limit)
        return 0
    moved, deadline = 0, time.monotonic() + LONGEST
    with _dead_letters(connection) as channel:
        while moved < min(room, MAX_PER_RUN) and time.monotonic() < deadline:
            raw = channel.basic_get(names.QUEUE_DEAD)
            if raw is None:
                break
            message = channel.message_to_python(raw)
            keep(message)
            message.ack()
            moved += 1
    return moved


def keep(message: Message) -> None:
    """Write ``message`` down; doing so again changes nothing, whatever became of the letter since."""
    letter, now = read(message), datetime.now(UTC)
    id_ = letter.pop("_id")
    if letter["cause"] == DELIVERY_LIMIT:
        failures.note_worker_lost(letter["products"], letter["reason"])
    try:
        DeadLetter._get_collection().update_one(
            {"_id": id_}, {"$setOnInsert": {**letter, "collected_at": now, "at": now}}, upsert=True
        )
    except DuplicateKeyError:
        return  # another collector was given it a moment ago
    log.warning("dead letter", letter=id_, task=letter["task"], queue=letter["queue"], reason=letter["reason"])


def collected_at() -> datetime | None:
    """Return when the queue was last looked into, by the database's clock; None: never."""
    found: dict[str, Any] | None = database()["dead_letter_collector"].find_one({"_id": "last"})
    return found["at"] if found else None


def _check_store() -> None:
    """Fail before anything is taken: each message taken and given back is one delivery nearer to being dropped."""
    now = {"$currentDate": {"at": True}}  # the database's clock, whatever this worker's says
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
        connection.collect()  # closes the socket without a conversation that might hang
