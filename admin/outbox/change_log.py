"""The change log: what happened to each version, for people. Delivery never reads it."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, tuple_, update

from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from admin.outbox.models import ProductChange, Replication

KEPT = timedelta(days=90)
PURGE_CHUNK = 1_000  # rows per transaction: writers never wait long behind it


@retry_deadlocks
def note_first_sent(rows: Sequence[Replication]) -> None:
    """Note that the relay sent the versions of ``rows`` just now, where it did not before. Commits."""
    sent = tuple_(ProductChange.product_id, ProductChange.sequence).in_(
        [(row.product_id, row.sequence) for row in rows]
    )
    db.session.execute(
        update(ProductChange)
        .where(ProductChange.product_id.in_([row.product_id for row in rows]), sent)
        .where(ProductChange.first_sent_at.is_(None))
        .values(first_sent_at=utc_now())
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def note_attempt(rows: Sequence[Replication]) -> None:
    """Count one more lost attempt for the versions of ``rows``. The caller commits."""
    lost = tuple_(ProductChange.product_id, ProductChange.sequence).in_(
        [(row.product_id, row.sequence) for row in rows]
    )
    db.session.execute(
        update(ProductChange)
        .where(ProductChange.product_id.in_([row.product_id for row in rows]), lost)
        .values(attempts=ProductChange.attempts + 1)
        .execution_options(synchronize_session=False)
    )


@retry_deadlocks
def purge(kept: timedelta = KEPT) -> int:
    """Delete the oldest changes beyond ``kept``, one chunk; return how many. Commits."""
    now = db.session.execute(select(utc_now())).scalar_one()
    old = select(ProductChange.id).where(ProductChange.changed_at < now - kept)
    ids = list(db.session.execute(old.order_by(ProductChange.changed_at).limit(PURGE_CHUNK)).scalars())
    if ids:
        db.session.execute(delete(ProductChange).where(ProductChange.id.in_(ids)))
    db.session.commit()
    return len(ids)
