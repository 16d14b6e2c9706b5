"""Makes changed products pending and logs the changes, in the transaction that changes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, func, insert, select, update

from admin.db.engine import Moment, table, upsert, utc_now
from admin.db.extensions import db
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
            "attempts": 0,
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


# Built once, so that SQLAlchemy compiles each once; it would compile an upsert for every write.
_INSERT = insert(table(Replication))
_LOG = insert(table(ProductChange))
_UPDATE = (
    update(table(Replication))
    .where(Replication.product_id == bindparam("id"))
    .values(
        sequence=bindparam("sequence_"),
        checksum=bindparam("checksum_"),
        # since the oldest change that the Client lacks, not the newest
        pending_since=func.coalesce(Replication.pending_since, bindparam("now", type_=Moment)),
        lane=bindparam("lane_"),
        state=FRESH,
        due_at=bindparam("due"),
        sent_at=None,
        attempts=0,
        last_error=None,
        request_id=bindparam("request"),
        traceparent=bindparam("trace"),
    )
)


def _mark_pending(created: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    """Insert the rows of created products and update those of changed ones."""
    connection = db.session.connection()
    if created:
        connection.execute(_INSERT, created)
    if changed:
        given = [
            {
                "id": row["product_id"],
                "sequence_": row["sequence"],
                "checksum_": row["checksum"],
                "now": row["pending_since"],
                "lane_": row["lane"],
                "due": row["due_at"],
                "request": row["request_id"],
                "trace": row["traceparent"],
            }
            for row in changed
        ]
        found = connection.execute(_UPDATE, given).rowcount
        if found < len(changed):  # rows were deleted by hand
            db.session.execute(upsert(Replication, changed, lambda _new: {}))
