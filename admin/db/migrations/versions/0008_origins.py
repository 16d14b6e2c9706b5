"""Which request caused a change: with the row that waits to be sent, and in the change log.

Revision ID: 0008
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0005"

COLUMNS = (("replication", "request_id", 64), ("replication", "traceparent", 55), ("product_changes", "request_id", 64))


def upgrade() -> None:
    """Nullable columns at the end: both MySQL and MariaDB only note them, whatever the table's size."""
    for table, column, length in COLUMNS:
        op.add_column(table, sa.Column(column, sa.String(length)))


def downgrade() -> None:
    for table, column, _length in COLUMNS:
        op.drop_column(table, column)
