"""What the scheduled comparison of both stores found, and how far it is.

Revision ID: 0003
Revises: 0002
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "drift",
        sa.Column("product_id", BIG_ID, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("held_sequence", sa.BigInteger),
        sa.Column("held_checksum", sa.String(32)),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        **MYSQL,
    )
    op.create_index("ix_drift_looked_at", "drift", ["looked_at"])
    check = op.create_table(
        "drift_check",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("after_id", sa.BigInteger),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("pass_finished_at", MOMENT),
        **MYSQL,
    )
    op.bulk_insert(check, [{"id": 1, "due_at": datetime(2000, 1, 1)}])  # noqa: DTZ001 - as the database's: naive


def downgrade() -> None:
    op.drop_table("drift_check")
    op.drop_table("drift")
