"""Alembic's environment: migrations run on the application's own engine."""

from alembic import context

import admin.accounts.models
import admin.images.models
import admin.imports.models
import admin.likes.models
import admin.products.models
import admin.reconcile.models
import admin.replication.models  # noqa: F401  (models register themselves)
from admin.extensions import db


def run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            compare_type=True,
            render_as_batch=True,  # SQLite alters tables by copying them
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
