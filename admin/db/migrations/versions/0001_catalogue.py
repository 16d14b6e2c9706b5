"""The catalogue, its replication, likes and staff."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were at this revision; a migration does not follow the models of later ones.
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Case matters in skus and opaque ids, as it does on SQLite and at the Client.
MYSQL: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}


def upgrade() -> None:
    op.create_table(
        "products",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("live_sku", sa.String(64), unique=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("price", sa.Numeric(14, 4), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("category", sa.String(80), nullable=False),
        sa.Column("image_url", sa.String(1000), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
        **MYSQL,
    )
    op.create_index("ix_products_live_updated", "products", ["deleted_at", "updated_at", "id"])
    op.create_index("ix_products_live_category", "products", ["deleted_at", "category", "updated_at", "id"])
    op.create_table(
        "import_progress",
        sa.Column("file", sa.String(64), primary_key=True),
        sa.Column("rows_done", sa.Integer, nullable=False),
        **MYSQL,
    )
    _create_replication()
    op.create_table(
        "product_likes",
        sa.Column("product_id", BIG_ID, primary_key=True, autoincrement=False),
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("liked", sa.Boolean, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        **MYSQL,
    )
    op.create_index("ix_product_likes_user", "product_likes", ["user"])
    op.create_table(
        "like_counts",
        sa.Column("product_id", BIG_ID, primary_key=True, autoincrement=False),
        sa.Column("likes", sa.Integer, nullable=False),
        **MYSQL,
    )
    op.create_table(
        "staff",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("email", sa.String(254), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        **MYSQL,
    )


def _create_replication() -> None:
    op.create_table(
        "replication",
        sa.Column("product_id", BIG_ID, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("checksum", sa.String(32), nullable=False),
        sa.Column("verified_sequence", sa.BigInteger, nullable=False),
        sa.Column("pending_since", MOMENT),
        sa.Column("lane", sa.String(16), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("sent_at", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.String(500)),
        **MYSQL,
    )
    op.create_index("ix_replication_due", "replication", ["lane", "state", "due_at"])
    op.create_index("ix_replication_pending", "replication", ["pending_since"])
    op.create_table(
        "product_changes",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("product_id", BIG_ID, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("author", sa.String(254), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("applied_at", MOMENT),
        sa.Column("verified_at", MOMENT),
        sqlite_autoincrement=True,
        **MYSQL,
    )
    op.create_index("ix_product_changes_product", "product_changes", ["product_id", "sequence"])
    op.create_index("ix_product_changes_changed", "product_changes", ["changed_at"])
    op.create_table(
        "lane_progress",
        sa.Column("lane", sa.String(16), primary_key=True),
        sa.Column("verified_sent_at", MOMENT),
        **MYSQL,
    )
    state = op.create_table(
        "sync_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        **MYSQL,
    )
    op.bulk_insert(state, [{"id": 1, "epoch": 0}])


def downgrade() -> None:
    for table in (
        "staff",
        "like_counts",
        "product_likes",
        "sync_state",
        "lane_progress",
        "product_changes",
        "replication",
        "import_progress",
        "products",
    ):
        op.drop_table(table)
