"""The scheduled comparison rests after a pass, and after a look that took long.

Revision ID: 0025
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0025"
down_revision = "0008"

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql", "mariadb")


def upgrade() -> None:
    op.add_column("drift_check", sa.Column("rest_until", MOMENT))


def downgrade() -> None:
    op.drop_column("drift_check", "rest_until")
