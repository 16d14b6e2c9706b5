"""Table of uploaded images."""

from datetime import datetime

from sqlalchemy import Index, Integer, LargeBinary, String
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import Moment
from admin.db.extensions import Model

Bytes = LargeBinary().with_variant(mysql.MEDIUMBLOB, "mysql", "mariadb")  # up to 16 MB; a BLOB holds 64 KB


class Image(Model):
    """A re-encoded image. ``unused_since`` is None while a product names it; ``checked_at``: when that was checked."""

    __tablename__ = "images"
    __table_args__ = (Index("ix_images_checked_at", "checked_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(Bytes, deferred=True)
    type: Mapped[str] = mapped_column(String(32))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Moment)
    checked_at: Mapped[datetime] = mapped_column(Moment)
    unused_since: Mapped[datetime | None] = mapped_column(Moment)
