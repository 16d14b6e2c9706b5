"""Admin's copy of the like set, and each product's exact count of it."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model


class ProductLike(Model):
    """One shopper's state towards one product; ``revision`` is the Client's counter of its changes."""

    __tablename__ = "product_likes"
    __table_args__ = (Index("ix_product_likes_user", "user"),)

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    user: Mapped[str] = mapped_column(String(64), primary_key=True)  # opaque: Admin knows no shopper by name
    revision: Mapped[int] = mapped_column(BigInteger)
    liked: Mapped[bool] = mapped_column(Boolean)
    received_at: Mapped[datetime] = mapped_column(Moment)


class LikeCount(Model):
    """How many of a product's likes are set. A row of its own: likes never touch the product's lock."""

    __tablename__ = "like_counts"

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    likes: Mapped[int] = mapped_column(Integer)
