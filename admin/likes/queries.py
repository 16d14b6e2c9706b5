"""Reads the counts of likes for lists and pages of products."""

from sqlalchemy import select

from admin.catalogue.models import Product
from admin.db.extensions import db
from admin.likes.models import LikeCount


def with_likes(products: list[Product]) -> list[Product]:
    """Set ``likes``, Admin's own count, on each of ``products``; return them."""
    query = select(LikeCount.product_id, LikeCount.likes).where(LikeCount.product_id.in_([p.id for p in products]))
    counts = dict(db.session.execute(query).tuples().all()) if products else {}
    for product in products:
        product.likes = counts.get(product.id, 0)
    return products


def likes_of(product_id: int) -> int:
    """Return Admin's count of one product's likes."""
    query = select(LikeCount.likes).where(LikeCount.product_id == product_id)
    return db.session.connection().execute(query).scalar_one_or_none() or 0
