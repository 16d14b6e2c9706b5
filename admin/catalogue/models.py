"""Tables of the catalogue."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, Integer, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model


class Product(Model):
    """One product. Deleted ones stay, so that their versions survive and a late message finds them newer."""

    __tablename__ = "products"
    __table_args__ = (
        Index("ix_products_live_updated", "deleted_at", "updated_at", "id"),
        Index("ix_products_live_category", "deleted_at", "category", "updated_at", "id"),
        Index("ix_products_live_category_id", "deleted_at", "category", "id"),
        Index("ix_products_image_url", "image_url", mysql_length=80),  # which uploaded images are in use
        Index("ix_products_live_title", "deleted_at", "title", "id"),
        Index("ix_products_live_price", "deleted_at", "price", "id"),
        Index("ix_products_deleted", "deleted_at", "id"),
        # A reused id would meet its own tombstone at the Client.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    sku: Mapped[str] = mapped_column(String(64))
    # The sku while the product lives, NULL afterwards: unique among live products, free again after a delete.
    live_sku: Mapped[str | None] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    price: Mapped[Decimal] = mapped_column(Numeric(14, 4))  # as exact as any currency (contract/currencies.py)
    currency: Mapped[str] = mapped_column(String(3))
    category: Mapped[str] = mapped_column(String(80))
    image_url: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(Integer)

    likes = 0  # how many Admin counts; set where it is shown (admin/likes/queries.py)

    __mapper_args__ = {"version_id_col": version}


# What staff may set; everything else is ours.
CONTENT_FIELDS = ("sku", "title", "description", "price", "currency", "category", "image_url")


class ImportProgress(Model):
    """How many rows of a file are done, while its import is not finished."""

    __tablename__ = "import_progress"

    file: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of its content
    rows_done: Mapped[int] = mapped_column(Integer)
