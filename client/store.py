"""The Client's connection to MongoDB."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import mongoengine
import pymongo
from mongoengine.connection import get_connection, get_db
from pymongo import DeleteMany, DeleteOne, InsertOne, MongoClient, UpdateMany, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, WriteConcernError
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
    ConnectionPoolListener,
)
from pymongo.read_concern import ReadConcern
from pymongo.results import BulkWriteResult

from client.config import ClientSettings
from web.http import changes

T = TypeVar("T")
Write = DeleteMany | DeleteOne | InsertOne | UpdateMany | UpdateOne

# The store does not answer, or no majority confirmed a write in time. The request itself is valid.
OUTAGES = (ConnectionFailure, WriteConcernError)

SELECTION_SECONDS = 5  # an operation waits this long for a primary
ANSWER_SECONDS = 30
MAX_POOL = 20  # connections per process
IDS_AT_ONCE = 100  # in one query or write


def connect(
    settings: ClientSettings,
    *listeners: ConnectionPoolListener | CommandListener,
    answer_seconds: int | None = ANSWER_SECONDS,
) -> None:
    """Register the connection; it is opened on first use, so after any fork (PyMongo is not fork-safe).

    Writes wait for a majority and its journal, so an acknowledged write survives a failover. ``answer_seconds`` is the
    timeout for an answer; None: no timeout.
    """
    mongoengine.disconnect()
    mongoengine.connect(
        host=settings.client_mongodb_url.get_secret_value(),
        connect=False,
        tz_aware=True,
        # One value that Python cannot represent must not make other documents unreadable.
        datetime_conversion="DATETIME_AUTO",
        unicode_decode_error_handler="replace",
        uuidRepresentation="standard",
        w="majority",
        journal=True,
        serverSelectionTimeoutMS=SELECTION_SECONDS * 1000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=answer_seconds and answer_seconds * 1000,
        maxPoolSize=MAX_POOL,
        event_listeners=listeners,
    )


class WriteListener(CommandListener):
    """Records that a request wrote, so that no error answered after that claims that nothing was changed."""

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in _WRITES:
            changes.record_write()

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


_WRITES = {"insert", "update", "delete", "findAndModify"}  # commands of the web service


def mongo() -> MongoClient:
    client: MongoClient = get_connection()
    return client


def database() -> Database:
    found: Database = get_db()
    return found


def clock() -> datetime:
    """Return the database's time: UTC, naive."""
    now: datetime = database().command("hello")["localTime"]
    return now


def by_ids(
    collection: Collection, ids: Sequence[Any], fields: Mapping[str, int] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the documents with these ``ids``, or only ``fields`` of them."""
    for some in portions(ids):
        yield from collection.find({"_id": {"$in": some}}, fields)


def portions(ids: Sequence[T]) -> Iterator[list[T]]:
    """Yield ``ids`` in lists of at most IDS_AT_ONCE, so that the size of a query or write is bounded.

    In a store that compares each document with the complete list, a batch of 500 took four times as long. MongoDB
    needs a few more short round trips, or none for bulk writes.
    """
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])


def bulk_write(collection: Collection, writes: Sequence[Write]) -> BulkWriteResult:
    """Carry out ``writes`` in any order.

    Raises BulkWriteError when some of them failed, and one of OUTAGES when no majority confirmed them. The driver's
    own call raises the same error for both.
    """
    try:
        return collection.bulk_write(writes, ordered=False)
    except BulkWriteError as error:
        if unconfirmed := error.details.get("writeConcernErrors"):
            first = unconfirmed[0]
            raise WriteConcernError(str(first.get("errmsg")), first.get("code"), first) from error
        raise


@contextmanager
def bounded_session(seconds: float) -> Iterator[ClientSession]:
    """Yield a session for a transaction that ends within ``seconds``.

    Without this the driver's ``with_transaction`` retries for two minutes, much longer than any lease.
    """
    with pymongo.timeout(seconds), mongo().start_session() as session:
        yield session


def was_in_conflict(error: OperationFailure) -> bool:
    """Return whether a transaction ended by a conflict with other writes, or by its timeout."""
    return error.timeout or error.has_error_label("TransientTransactionError")


MAJORITY = ReadConcern("majority")  # for verification: excludes writes that a failover may roll back
