"""Makes changed products pending and logs the changes, in the transaction that changes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, insert, select

from admin.db.engine import table, utc_now
from admin.db.extensions import db
from admin.db.upserts import upsert_each
from admin.outbox.models import FRESH, ProductChange, Replication, SyncState
from contract import causation
from contract.messages import ProductChanged
from contract.names import INTERACTIVE

CREATED = "created"  # the kind of a product's first change

log = structlog.get_logger(__name__)

RELAY_DELAY = timedelta(seconds=1)  # until the relay checks what the eager publisher has sent


@dataclass(frozen=True, slots=True)
class WriteContext:
    """The database's clock and the epoch, both fixed for one transaction."""

    now: datetime
    epoch: int


_NOW_AND_EPOCH = select(utc_now(), SyncState.epoch).where(SyncState.id == 1).with_for_update(read=True)


def begin_write() -> WriteContext:
    """Start a transaction that changes products.

    Locks the epoch until the commit, so that a recovery waits for the writers that use the old one.
    """
    return WriteContext(*db.session.connection().execute(_NOW_AND_EPOCH).one())


def record(
    changed: Sequence[tuple[ProductChanged, str]], write: WriteContext, author: str, lane: str = INTERACTIVE
) -> None:
    """Make the product of each (message, kind) pending and append the change to the change log.

    The products must be stored and locked by this transaction.
    """
    cause = causation.current()
    messages = [message for message, _kind in changed]
    due = write.now + (RELAY_DELAY if lane == INTERACTIVE else timedelta())
    rows = {
        message.id: {
            "product_id": message.id,
            "sequence": message.sequence,
            "checksum": message.checksum,
            "verified_sequence": 0,
            "pending_since": write.now,
            "lane": lane,
            "state": FRESH,
            "due_at": due,
            "sent_at": None,
            "attempts": 0,
            "last_error": None,
            "request_id": cause.request_id,
            "traceparent": cause.traceparent,
        }
        for message in messages
    }
    created = {product.id for product, kind in changed if kind == CREATED}
    _mark_pending([rows[id_] for id_ in rows if id_ in created], [rows[id_] for id_ in rows if id_ not in created])
    same = {"author": author, "changed_at": write.now, "request_id": cause.request_id}
    history = [{"product_id": m.id, "sequence": m.sequence, "kind": kind, **same} for m, kind in changed]
    db.session.connection().execute(_LOG, history)


def pending_again(now: datetime, lane: str) -> dict[str, object]:
    """Return the column values that make an outbox row pending again, as if its product had just changed."""
    cause = causation.current()
    return {
        "request_id": cause.request_id,
        "traceparent": cause.traceparent,
        "state": FRESH,
        "lane": lane,
        "due_at": now,
        "pending_since": func.coalesce(Replication.pending_since, now),
        "sent_at": None,
        "attempts": 0,
        "last_error": None,
    }


def log_committed(messages: Sequence[ProductChanged]) -> None:
    """Log that the transaction with ``messages`` was committed: the first line of each change's trace."""
    causation.log_items(log, "committed", messages, lane=INTERACTIVE)


# Built once, so that SQLAlchemy compiles each once.
_INSERT = insert(table(Replication))
_LOG = insert(table(ProductChange))


def _mark_pending(created: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    """Insert the rows of created products and update those of changed ones, which may have been deleted by hand."""
    connection = db.session.connection()
    if created:
        connection.execute(_INSERT, created)
    if changed:
        # since the oldest change that the Client lacks, not the newest
        statement = upsert_each(Replication, tuple(changed[0]), kept=("verified_sequence", "pending_since"))
        connection.execute(statement, changed)
