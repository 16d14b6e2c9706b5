"""Create every table of the first release, with its indexes and its first rows."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

# Written out here: a migration must not change when the models do.
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BYTES = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB, "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT, "mysql", "mariadb")  # a Text of MySQL ends at 64 KB
# Skus and opaque ids are case-sensitive, as on SQLite and at the Client.
MYSQL: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}


def upgrade() -> None:
    _create_products()
    _create_imports()
    _create_likes()
    _create_outbox()
    _create_restore_detection()
    _create_drift()
    _create_accounts()


def downgrade() -> None:
    for table in (
        "audit_events",
        "api_keys",
        "sign_ins",
        "staff",
        "drift_check",
        "drift",
        "sync_generations",
        "sync_state",
        "resync_runs",
        "lane_progress",
        "product_changes",
        "replication",
        "like_counts",
        "product_likes",
        "import_errors",
        "import_pieces",
        "import_jobs",
        "import_progress",
        "idempotency_keys",
        "images",
        "product_search_terms",
        "products",
    ):
        op.drop_table(table)


def _table(name: str, *columns: sa.Column[Any], **options: Any) -> sa.Table:
    return op.create_table(name, *columns, **options, **MYSQL)


def _given_id(name: str = "product_id") -> sa.Column[int]:
    return sa.Column(name, BIG_ID, primary_key=True, autoincrement=False)


def _new_id() -> sa.Column[int]:
    return sa.Column("id", BIG_ID, primary_key=True, autoincrement=True)


def _only_row() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=False)


def _create_products() -> None:
    _table(
        "products",
        _new_id(),
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
    )
    op.create_index("ix_products_live_updated", "products", ["deleted_at", "updated_at", "id"])
    op.create_index("ix_products_live_category", "products", ["deleted_at", "category", "updated_at", "id"])
    op.create_index("ix_products_live_category_id", "products", ["deleted_at", "category", "id"])
    op.create_index("ix_products_live_title", "products", ["deleted_at", "title", "id"])
    op.create_index("ix_products_live_price", "products", ["deleted_at", "price", "id"])
    op.create_index("ix_products_deleted", "products", ["deleted_at", "id"])
    # 80 characters hold the full address of an uploaded image; MySQL cannot index all 1,000.
    op.create_index("ix_products_image_url", "products", ["image_url"], mysql_length=80)
    _table("product_search_terms", _given_id(), sa.Column("term", sa.String(40), primary_key=True))
    op.create_index("ix_product_search_terms_term", "product_search_terms", ["term", "product_id"])
    _table(
        "images",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", BYTES, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("unused_since", MOMENT),
    )
    op.create_index("ix_images_checked_at", "images", ["checked_at"])
    _table(
        "idempotency_keys",
        sa.Column("author", sa.String(254), primary_key=True),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("claim", sa.String(32), nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.Column("answer", LONG_TEXT),
    )
    op.create_index("ix_idempotency_keys_claimed_at", "idempotency_keys", ["claimed_at"])


def _create_imports() -> None:
    _table(
        "import_progress",
        sa.Column("file", sa.String(64), primary_key=True),
        sa.Column("rows_done", sa.Integer, nullable=False),
    )
    counts = ("lines", "line", "rows", "created", "updated", "unchanged", "repeated", "failed")
    _table(
        "import_jobs",
        _new_id(),
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
    )
    op.create_index("ix_import_jobs_state", "import_jobs", ["state", "claimed_until"])
    _table("import_pieces", _job_id(), _position("number"), sa.Column("content", BYTES, nullable=False))
    _table("import_errors", _job_id(), _position("line"), sa.Column("reason", sa.String(500), nullable=False))


def _job_id() -> sa.Column[int]:
    job = sa.ForeignKey("import_jobs.id", ondelete="CASCADE")
    return sa.Column("job_id", BIG_ID, job, primary_key=True, autoincrement=False)


def _position(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def _create_likes() -> None:
    _table(
        "product_likes",
        _given_id(),
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("liked", sa.Boolean, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
    )
    op.create_index("ix_product_likes_user", "product_likes", ["user"])
    _table("like_counts", _given_id(), sa.Column("likes", sa.Integer, nullable=False))


def _create_outbox() -> None:
    _table(
        "replication",
        _given_id(),
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
        sa.Column("request_id", sa.String(64)),
        sa.Column("traceparent", sa.String(55)),
    )
    op.create_index("ix_replication_due", "replication", ["lane", "state", "due_at"])
    op.create_index("ix_replication_pending", "replication", ["pending_since"])
    _table(
        "product_changes",
        _new_id(),
        sa.Column("product_id", BIG_ID, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("author", sa.String(254), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("first_sent_at", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.String(500)),
        sa.Column("applied_at", MOMENT),
        sa.Column("verified_at", MOMENT),
        sa.Column("request_id", sa.String(64)),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_product_changes_product", "product_changes", ["product_id", "sequence"])
    op.create_index("ix_product_changes_changed", "product_changes", ["changed_at"])
    op.create_index("ix_product_changes_unverified", "product_changes", ["product_id", "verified_at"])
    _table(
        "lane_progress",
        sa.Column("lane", sa.String(16), primary_key=True),
        sa.Column("verified_sent_at", MOMENT),
        sa.Column("last_product_id", BIG_ID),
        sa.Column("last_sequence", sa.BigInteger),
        sa.Column("last_verified_at", MOMENT),
    )
    _table(
        "resync_runs",
        _new_id(),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("requested_by", sa.String(254), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("marked", sa.Integer, nullable=False),
        sa.Column("after_id", sa.BigInteger, nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("stopped_by", sa.String(254)),
    )
    op.create_index("ix_resync_runs_finished", "resync_runs", ["finished_at"])


def _create_restore_detection() -> None:
    state = _table("sync_state", _only_row(), sa.Column("epoch", sa.Integer, nullable=False))
    op.bulk_insert(state, [{"id": 1, "epoch": 0}])
    generations = _table(
        "sync_generations",
        _only_row(),
        sa.Column("raised", sa.BigInteger, nullable=False),
        sa.Column("acknowledged", sa.BigInteger, nullable=False),
        sa.Column("alarm", sa.String(8)),
        sa.Column("alarm_since", MOMENT),
    )
    op.bulk_insert(generations, [{"id": 1, "raised": 0, "acknowledged": 0}])


def _create_drift() -> None:
    _table(
        "drift",
        _given_id(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("replica_sequence", sa.BigInteger),
        sa.Column("replica_checksum", sa.String(32)),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
    )
    op.create_index("ix_drift_checked_at", "drift", ["checked_at"])
    check = _table(
        "drift_check",
        _only_row(),
        sa.Column("after_id", sa.BigInteger),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("paused_until", MOMENT),
        sa.Column("pass_finished_at", MOMENT),
    )
    op.bulk_insert(check, [{"id": 1, "due_at": datetime(2000, 1, 1)}])  # noqa: DTZ001 - the database stores naive UTC


def _create_accounts() -> None:
    _table(
        "staff",
        _new_id(),
        sa.Column("email", sa.String(254), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT),
    )
    _table(
        "sign_ins",
        sa.Column("id", sa.String(43), primary_key=True),
        sa.Column("staff_id", BIG_ID, sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
        sa.Column("refresh_id", sa.String(36)),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_index("ix_sign_ins_staff_id", "sign_ins", ["staff_id"])
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])
    _table(
        "api_keys",
        _new_id(),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("created_by", sa.String(254), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("last_used_at", MOMENT),
    )
    _table(
        "audit_events",
        _new_id(),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(254)),
        sa.Column("detail", sa.String(254)),
        sa.Column("address", sa.String(45)),
        sa.Column("request_id", sa.String(64)),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
