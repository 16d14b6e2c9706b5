"""Sign-ins of staff that can be ended, API keys for machines, and the audit trail.

Revision ID: 0004
Revises: 0024
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0024"

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.add_column("staff", sa.Column("disabled_at", MOMENT))
    _create_sign_ins()
    _create_api_keys()
    _create_audit_events()


def downgrade() -> None:
    for table in ("audit_events", "api_keys", "sign_ins"):
        op.drop_table(table)
    op.drop_column("staff", "disabled_at")


def _create_sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(43), primary_key=True),
        sa.Column("staff_id", BIG_ID, sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
        sa.Column("refresh_id", sa.String(36)),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        **MYSQL,
    )
    op.create_index("ix_sign_ins_staff_id", "sign_ins", ["staff_id"])
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("created_by", sa.String(254), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("last_used_at", MOMENT),
        **MYSQL,
    )


def _create_audit_events() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(254)),
        sa.Column("detail", sa.String(254)),
        sa.Column("address", sa.String(45)),
        sa.Column("request_id", sa.String(64)),
        sqlite_autoincrement=True,
        **MYSQL,
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
