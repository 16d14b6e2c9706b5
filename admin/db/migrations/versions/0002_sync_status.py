"""What status shows: attempts per version, the last result, and the marks that tell a restored database.

Revision ID: 0002
Revises: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.add_column("product_changes", sa.Column("first_sent_at", MOMENT))
    # the default is for an Admin of the version before, which goes on writing meanwhile
    op.add_column("product_changes", sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
    op.add_column("product_changes", sa.Column("error", sa.String(500)))
    op.add_column("lane_progress", sa.Column("last_product_id", BIG_ID))
    op.add_column("lane_progress", sa.Column("last_sequence", sa.BigInteger))
    op.add_column("lane_progress", sa.Column("last_verified_at", MOMENT))
    marks = op.create_table(
        "sync_generations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("raised", sa.BigInteger, nullable=False),
        sa.Column("acknowledged", sa.BigInteger, nullable=False),
        sa.Column("alarm", sa.String(8)),
        sa.Column("alarm_since", MOMENT),
        **MYSQL,
    )
    op.bulk_insert(marks, [{"id": 1, "raised": 0, "acknowledged": 0}])


def downgrade() -> None:
    op.drop_table("sync_generations")
    for column in ("last_verified_at", "last_sequence", "last_product_id"):
        op.drop_column("lane_progress", column)
    for column in ("error", "attempts", "first_sent_at"):
        op.drop_column("product_changes", column)
