"""Counts of likes beside products, for lists and pages."""

from sqlalchemy import select

from admin.catalogue.models import Product
from admin.db.extensions import db
from admin.likes.models import LikeCount


def with_likes(products: list[Product]) -> list[Product]:
    """Set ``likes`` on each: the count of Admin's own like set."""
    query = select(LikeCount.product_id, LikeCount.likes).where(LikeCount.product_id.in_([p.id for p in products]))
    counts = dict(db.session.execute(query).tuples().all()) if products else {}
    for product in products:
        product.likes = counts.get(product.id, 0)
    return products
