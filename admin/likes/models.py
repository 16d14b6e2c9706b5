"""Tables of Admin's copy of the likes, and of each product's exact count."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model


class ProductLike(Model):
    """Whether one shopper likes one product; ``revision`` is the Client's counter of its changes."""

    __tablename__ = "product_likes"
    __table_args__ = (Index("ix_product_likes_user", "user"),)

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    user: Mapped[str] = mapped_column(String(64), primary_key=True)  # an opaque id: Admin stores no shoppers
    revision: Mapped[int] = mapped_column(BigInteger)
    liked: Mapped[bool] = mapped_column(Boolean)
    received_at: Mapped[datetime] = mapped_column(Moment)


class LikeCount(Model):
    """A product's number of likes. A row of its own, so that likes never lock the product."""

    __tablename__ = "like_counts"

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    likes: Mapped[int] = mapped_column(Integer)
