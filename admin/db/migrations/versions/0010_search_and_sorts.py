"""Words to search products by, and an index for each order in which they are listed.

Revision ID: 0010
Revises: 0006
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from admin.catalogue.search_terms import LONGEST, of

revision = "0010"
down_revision = "0006"

BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
CHUNK = 1_000  # products per transaction
PRODUCTS = sa.table("products", sa.column("id"), sa.column("title"), sa.column("sku"))


def upgrade() -> None:
    words = op.create_table(
        "product_search_terms",
        sa.Column("product_id", BIG_ID, primary_key=True, autoincrement=False),
        sa.Column("term", sa.String(LONGEST), primary_key=True),
        **MYSQL,
    )
    _fill(words)
    op.create_index("ix_product_search_terms_term", "product_search_terms", ["term", "product_id"])
    op.create_index("ix_products_live_title", "products", ["deleted_at", "title", "id"])
    op.create_index("ix_products_live_price", "products", ["deleted_at", "price", "id"])
    op.create_index("ix_products_deleted", "products", ["deleted_at", "id"])
    op.create_index("ix_products_live_category_id", "products", ["deleted_at", "category", "id"])


def downgrade() -> None:
    for name in ("live_category_id", "deleted", "live_price", "live_title"):
        op.drop_index(f"ix_products_{name}", "products")
    op.drop_table("product_search_terms")


def _fill(words: sa.Table) -> None:
    """Write the words of the products that are there."""
    connection, last = op.get_bind(), 0
    after = sa.select(PRODUCTS).where(PRODUCTS.c.id > sa.bindparam("last")).order_by(PRODUCTS.c.id).limit(CHUNK)
    while products := connection.execute(after, {"last": last}).all():
        rows = [{"product_id": p.id, "term": word} for p in products for word in of(p.title, p.sku)]
        connection.execute(sa.insert(words), rows)
        last = products[-1].id
