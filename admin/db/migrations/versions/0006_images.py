"""Uploaded images.

Revision ID: 0006
Revises: 0003
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0003"

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BYTES = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB, "mysql", "mariadb")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "images",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", BYTES, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("unused_since", MOMENT),
        **MYSQL,
    )
    op.create_index("ix_images_looked_at", "images", ["looked_at"])
    # 80 characters hold an address of ours in full; MySQL cannot index all 1,000
    op.create_index("ix_products_image_url", "products", ["image_url"], mysql_length=80)


def downgrade() -> None:
    op.drop_index("ix_products_image_url", "products")
    op.drop_table("images")
