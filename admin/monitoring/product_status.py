"""Reads one product's replication: its outbox row, the Client's replica state, and its versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import select

from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.outbox.client_gateway import ClientUnavailableError, client_gateway
from admin.outbox.models import ProductChange, Replication
from contract.service_calls import ReplicaState
from web.http import cursors
from web.http.problems import ProblemError

TIMEOUT_SECONDS = 3.0  # seconds for the Client to answer
_SORT = "-version"


class NeverKnownError(ProblemError):
    status = HTTPStatus.NOT_FOUND


@dataclass(frozen=True, slots=True)
class ProductStatus:
    """A product's replication. ``replica`` is None without a copy, or with a ``client_error``.

    ``versions`` is a page of the change log, newest first; ``next_cursor`` leads to older ones.
    """

    row: Replication
    versions: Sequence[ProductChange]
    next_cursor: str | None
    replica: ReplicaState | None
    client_error: str | None
    now: datetime

    @property
    def in_sync(self) -> bool | None:
        """Whether the Client stores exactly this state; None where that is unknown."""
        if self.client_error:
            return None
        return self.replica is not None and (self.replica.sequence, self.replica.checksum) == (
            self.row.sequence,
            self.row.checksum,
        )


def product_status(product_id: int, limit: int, cursor: str | None) -> ProductStatus:
    """Return the replication of a product, deleted or not, with a page of ``limit`` versions.

    Raises NeverKnownError, BadCursorError.
    """
    position = cursors.decode(cursor, _SORT)
    row = db.session.get(Replication, product_id)
    if row is None:
        raise NeverKnownError(f"There never was a product {product_id}.")
    now = db.session.execute(select(utc_now())).scalar_one()
    found = _versions(product_id, limit + 1, position[0] if position else None)
    entries, more = found[:limit], len(found) > limit
    db.session.expunge_all()
    db.session.rollback()  # no transaction stays open during the call to the Client
    replica, error = _ask(product_id)
    next_cursor = cursors.encode(_SORT, [entries[-1].sequence]) if more else None
    return ProductStatus(row, entries, next_cursor, replica, error, now)


def _ask(product_id: int) -> tuple[ReplicaState | None, str | None]:
    try:
        return client_gateway().replica_states([product_id], timeout=TIMEOUT_SECONDS).states.get(product_id), None
    except ClientUnavailableError as error:
        return None, str(error)


def _versions(product_id: int, limit: int, before: int | None) -> Sequence[ProductChange]:
    query = select(ProductChange).where(ProductChange.product_id == product_id)
    if before is not None:
        query = query.where(ProductChange.sequence < before)
    return db.session.execute(query.order_by(ProductChange.sequence.desc()).limit(limit)).scalars().all()
