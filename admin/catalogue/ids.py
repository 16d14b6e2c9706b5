"""Ids that no later product may get: the Client holds something there already."""

from decimal import Decimal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from admin.catalogue.models import CONTENT_FIELDS, Product
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db


@retry_deadlocks
def reserve_ids(above: int) -> None:
    """Have every later product's id be greater than ``above``; ids given out already stay. Commits.

    A row made and deleted in one transaction raises the counter, nobody sees it, and unlike ALTER TABLE it can
    never lower the counter, waits for no writer and works on every database. ``above`` is at most
    ``contract.digests.MAX_ID``: a counter at its end would give out no ids any more.
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
        db.session.rollback()  # somebody's product got this very id just now, so the counter is beyond it
