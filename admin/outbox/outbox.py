"""Makes changed products pending and logs the changes, in the transaction that changes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select

from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.db.writes import Write, insert_rows, upsert_rows
from admin.outbox.models import FRESH, ProductChange, Replication, SyncState
from contract import causation
from contract.messages import ProductChanged
from contract.names import INTERACTIVE

log = structlog.get_logger(__name__)

RELAY_DELAY = timedelta(seconds=1)  # until the relay checks what the eager publisher has sent


@dataclass(frozen=True, slots=True)
class WriteContext:
    """The database's clock and the epoch, both fixed for one transaction."""

    now: datetime
    epoch: int


_EPOCH = select(SyncState.epoch).where(SyncState.id == 1).with_for_update(read=True)
# The columns of a WriteContext, for a query that locks a product too.
CONTEXT = (utc_now(), _EPOCH.scalar_subquery())
_CONTEXT = _EPOCH.with_only_columns(utc_now(), SyncState.epoch)


def begin_write() -> WriteContext:
    """Start a transaction that changes products.

    Locks the epoch until the commit, so that a recovery waits for the writers that use the old one.
    """
    return WriteContext(*db.session.connection().execute(_CONTEXT).one())


def writes(
    changed: Sequence[tuple[ProductChanged, str]], write: WriteContext, author: str, lane: str = INTERACTIVE
) -> tuple[Write, Write]:
    """Return the writes that make the product of each (message, kind) pending and append the change to the change log.

    They belong to the transaction that stores the products and has locked them.
    """
    cause = causation.current()
    pending = {
        "verified_sequence": 0,
        "pending_since": write.now,
        "lane": lane,
        "state": FRESH,
        "due_at": write.now + (RELAY_DELAY if lane == INTERACTIVE else timedelta()),
        "sent_at": None,
        "attempts": 0,
        "last_error": None,
        "request_id": cause.request_id,
        "traceparent": cause.traceparent,
    }
    rows = [(message.id, message.sequence, message.checksum) for message, _kind in changed]
    history = [(message.id, message.sequence, kind) for message, kind in changed]
    same = {"author": author, "changed_at": write.now, "attempts": 0, "request_id": cause.request_id}
    return (
        # pending since the oldest change that the Client lacks, not the newest
        upsert_rows(Replication, _STATE, rows, pending, kept=("verified_sequence", "pending_since")),
        insert_rows(ProductChange, _CHANGE, history, same),
    )


_STATE, _CHANGE = ("product_id", "sequence", "checksum"), ("product_id", "sequence", "kind")


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


def log_committed(messages: Sequence[ProductChanged], lane: str = INTERACTIVE) -> None:
    """Log that the transaction with ``messages`` was committed: the first line of each change's trace."""
    causation.log_items(log, "committed", messages, lane=lane)
