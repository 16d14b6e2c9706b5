"""The change log: what happened to each version of a product. People read it; delivery never does."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, tuple_, update

from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from admin.outbox.models import ProductChange, Replication

RETENTION = timedelta(days=90)
PURGE_CHUNK = 1_000  # rows per transaction, so that writers wait briefly


@retry_deadlocks
def record_first_sent(rows: Sequence[Replication]) -> None:
    """Record that the relay sent the versions of ``rows`` now, for those it sends for the first time. Commits."""
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


def count_attempt(rows: Sequence[Replication]) -> None:
    """Count a lost attempt for the versions of ``rows``. The caller commits."""
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
def purge(retention: timedelta = RETENTION) -> int:
    """Delete a chunk of changes older than ``retention``; return their number. Commits."""
    now = db.session.execute(select(utc_now())).scalar_one()
    old = select(ProductChange.id).where(ProductChange.changed_at < now - retention)
    ids = list(db.session.execute(old.order_by(ProductChange.changed_at).limit(PURGE_CHUNK)).scalars())
    if ids:
        db.session.execute(delete(ProductChange).where(ProductChange.id.in_(ids)))
    db.session.commit()
    return len(ids)
