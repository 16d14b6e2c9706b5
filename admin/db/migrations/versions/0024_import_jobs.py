"""Imports in the background.

Revision ID: 0024
Revises: 0010
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0024"
down_revision = "0010"

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BYTES = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB, "mysql", "mariadb")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    counts = ("lines", "line", "rows", "created", "updated", "unchanged", "repeated", "failed")
    op.create_table(
        "import_jobs",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("author", sa.String(254), nullable=False),
        sa.Column("active_file", sa.String(64), unique=True),
        sa.Column("state", sa.String(12), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in counts),
        sa.Column("reason", sa.String(500)),
        sa.Column("submitted_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("claimed_by", sa.String(32)),
        sa.Column("claimed_until", MOMENT),
        sqlite_autoincrement=True,
        **MYSQL,
    )
    op.create_index("ix_import_jobs_state", "import_jobs", ["state", "claimed_until"])
    op.create_table("import_pieces", _of_job(), *_pieces(), **MYSQL)
    op.create_table("import_errors", _of_job(), *_errors(), **MYSQL)


def _of_job() -> sa.Column[int]:
    job = sa.ForeignKey("import_jobs.id", ondelete="CASCADE")
    return sa.Column("job_id", BIG_ID, job, primary_key=True, autoincrement=False)


def _pieces() -> tuple[sa.Column[Any], ...]:
    number = sa.Column("number", sa.Integer, primary_key=True, autoincrement=False)
    return number, sa.Column("content", BYTES, nullable=False)


def _errors() -> tuple[sa.Column[Any], ...]:
    line = sa.Column("line", sa.Integer, primary_key=True, autoincrement=False)
    return line, sa.Column("reason", sa.String(500), nullable=False)


def downgrade() -> None:
    op.drop_table("import_errors")
    op.drop_table("import_pieces")
    op.drop_table("import_jobs")
