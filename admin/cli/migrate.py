"""Admin's part of ``lockstep migrate``. The only command that imports Alembic."""

import click
from alembic.util import CommandError

from admin.core import create_core
from admin.db import schema


def migrate_admin(revision: str) -> None:
    """Migrate Admin's database to ``revision``, up or down."""
    with create_core().app_context():
        try:
            if revision == schema.NONE:
                schema.downgrade()
            else:
                schema.upgrade(revision)
        except CommandError as error:
            raise click.ClickException(f"{error}. Nothing was migrated.") from None
    click.echo(f"Admin's database is at {revision}.", err=True)
