"""An index over the changes of a product that are not verified yet: a verification must not read its whole history.

Revision ID: 0036
Revises: 0025
"""

from alembic import op

revision = "0036"
down_revision = "0025"


def upgrade() -> None:
    op.create_index("ix_product_changes_unproven", "product_changes", ["product_id", "verified_at"])


def downgrade() -> None:
    op.drop_index("ix_product_changes_unproven", "product_changes")
