"""Reserves ids that no later product may get, because the Client stores a copy or tombstone with them."""

from decimal import Decimal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from admin.catalogue.models import CONTENT_FIELDS, Product
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db


@retry_deadlocks
def reserve_ids(above: int) -> None:
    """Make the ids of later products greater than ``above``. Commits.

    A row that is inserted and deleted in one transaction raises the counter. Unlike ALTER TABLE that can never lower
    it, waits for no writer and works on every database. ``above`` is at most ``contract.digests.MAX_ID``: a counter
    at its maximum would give no more ids.
    """
    highest = db.session.execute(select(func.max(Product.id))).scalar_one() or 0
    if highest >= above:
        db.session.rollback()
        return
    now = db.session.execute(select(utc_now())).scalar_one()
    times = {"created_at": now, "updated_at": now, "deleted_at": now}
    content = {**dict.fromkeys(CONTENT_FIELDS, ""), "price": Decimal(0)}
    try:
        db.session.execute(insert(Product).values(id=above, version=1, **content, **times))
        db.session.execute(delete(Product).where(Product.id == above))
        db.session.commit()
    except IntegrityError:
        db.session.rollback()  # a product got this id just now, so the counter is above it
