"""Alembic's environment: runs migrations over a separate connection to the application's database."""

from alembic import context

from admin.db import schema_changes
from admin.db.extensions import db


def run() -> None:
    with schema_changes.connection(db.engine.url.render_as_string(hide_password=False)) as connection:
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
