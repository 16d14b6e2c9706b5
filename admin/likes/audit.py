"""What the Client compares its likes with: digests of key ranges, stored likes, and counts beside their likes.

Keys are (product, user) in binary order, the same on both sides. Each call reads a bounded number of rows.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, tuple_, update

from admin.catalogue.models import Product
from admin.db.engine import retry_deadlocks
from admin.db.extensions import db
from admin.likes.models import LikeCount, ProductLike
from admin.likes.service import lock_counts, make_counts
from contract.messages import LikeChanged, likes_digest
from contract.service_calls import MAX_LIKES, StoredLike, WrongCount

MAX_ROWS = 10_000  # per digest

Key = tuple[int, str]


def digest(after: Key, upto: Key | None) -> str | None:
    """Return the digest of the likes in (after, upto] (None: to the end), or None for more than MAX_ROWS likes."""
    rows = _rows(_in_range(after, upto).limit(MAX_ROWS + 1))
    return None if len(rows) > MAX_ROWS else likes_digest(row.like for row in rows)


def first_of(after: Key, upto: Key | None) -> list[StoredLike]:
    """Return the first likes of a range, at most MAX_LIKES."""
    return _rows(_in_range(after, upto).limit(MAX_LIKES))


def stored(keys: Sequence[Key]) -> list[StoredLike]:
    """Return the stored likes of ``keys``, at most MAX_LIKES."""
    return _rows(_LIKES.where(tuple_(ProductLike.product_id, ProductLike.user).in_(keys)))


def wrong_counts(after: int) -> tuple[list[WrongCount], int | None]:
    """Return the wrong counts among the next MAX_LIKES products, and the last id (None at the end of the catalogue).

    One statement, so that counts and likes are of one moment.
    """
    shown = select(LikeCount.likes).where(LikeCount.product_id == Product.id).scalar_subquery()
    query = select(Product.id, func.coalesce(shown, 0), _size_of(Product.id).scalar_subquery())
    page = db.session.execute(query.where(Product.id > after).order_by(Product.id).limit(MAX_LIKES)).all()
    wrong = [WrongCount(product, likes, actual) for product, likes, actual in page if likes != actual]
    return wrong, page[-1][0] if len(page) == MAX_LIKES else None


@retry_deadlocks
def recount(product_ids: list[int]) -> None:
    """Set the counts of products to the number of their likes. Locks the count rows as ``apply_likes`` does."""
    make_counts(product_ids)
    lock_counts(product_ids)
    actual = _size_of(LikeCount.product_id).scalar_subquery()
    db.session.execute(
        update(LikeCount)
        .where(LikeCount.product_id.in_(product_ids))
        .values(likes=actual)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


_LIKES = select(
    ProductLike.product_id, ProductLike.user, ProductLike.revision, ProductLike.liked, ProductLike.received_at
).order_by(ProductLike.product_id, ProductLike.user)


def _in_range(after: Key, upto: Key | None) -> Select[Any]:
    product, user = ProductLike.product_id, ProductLike.user
    query = _LIKES.where(product >= after[0], or_(product > after[0], and_(product == after[0], user > after[1])))
    if upto is None:
        return query
    return query.where(product <= upto[0], or_(product < upto[0], and_(product == upto[0], user <= upto[1])))


def _rows(query: Select[Any]) -> list[StoredLike]:
    rows = db.session.execute(query).all()
    return [StoredLike(LikeChanged(product, user, revision, liked), at) for product, user, revision, liked, at in rows]


def _size_of(product_id: Any) -> Select[Any]:
    return select(func.count()).where(ProductLike.product_id == product_id, ProductLike.liked.is_(True))
