"""The Client's part of ``lockstep migrate``."""

import click

from client import migrations, store
from client.config import ClientSettings


def migrate_client() -> None:
    """Migrate the Client's database."""
    store.connect(ClientSettings(), answer_seconds=None)  # building an index may take long
    done = migrations.migrate(store.database())
    click.echo(f"Client's database: {len(done)} migrations run.", err=True)
