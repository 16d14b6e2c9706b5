"""Tables of the catalogue."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Index, Integer, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model


class Product(Model):
    """One product. Rows of deleted products stay, so that their versions go on rising and deletes can be undone."""

    __tablename__ = "products"
    __table_args__ = (
        Index("ix_products_live_updated", "deleted_at", "updated_at", "id"),
        Index("ix_products_live_category", "deleted_at", "category", "updated_at", "id"),
        Index("ix_products_live_category_id", "deleted_at", "category", "id"),
        Index("ix_products_image_url", "image_url", mysql_length=80),  # finds the uploaded images in use
        Index("ix_products_live_title", "deleted_at", "title", "id"),
        Index("ix_products_live_price", "deleted_at", "price", "id"),
        Index("ix_products_deleted", "deleted_at", "id"),
        # The Client would hide a product with a reused id behind the tombstone.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    sku: Mapped[str] = mapped_column(String(64))
    # The sku of a live product, NULL after its delete: unique among live products.
    live_sku: Mapped[str | None] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    price: Mapped[Decimal] = mapped_column(Numeric(14, 4))  # enough decimals for any currency (contract/currencies.py)
    currency: Mapped[str] = mapped_column(String(3))
    category: Mapped[str] = mapped_column(String(80))
    image_url: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(Integer)

    likes = 0  # Admin's count; set for lists and pages (admin/likes/queries.py)


class ProductRow(NamedTuple):
    """A row of ``products`` without the session's bookkeeping, which costs more than the row."""

    id: int
    sku: str
    live_sku: str | None
    title: str
    description: str
    price: Decimal
    currency: str
    category: str
    image_url: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int


# The fields that staff may set.
CONTENT_FIELDS = ("sku", "title", "description", "price", "currency", "category", "image_url")


class ImportProgress(Model):
    """The number of imported rows of a file whose import is not finished."""

    __tablename__ = "import_progress"

    file: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of its content
    rows_done: Mapped[int] = mapped_column(Integer)
