"""Replays of many products that the relays carry out, and how far each is.

Revision ID: 0007
Revises: 0004
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0004"

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "resync_runs",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("by", sa.String(254), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("marked", sa.Integer, nullable=False),
        sa.Column("after_id", sa.BigInteger, nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("stopped_by", sa.String(254)),
        **MYSQL,
    )
    op.create_index("ix_resync_runs_finished", "resync_runs", ["finished_at"])


def downgrade() -> None:
    op.drop_table("resync_runs")
