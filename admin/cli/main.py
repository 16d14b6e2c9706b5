"""Admin's part of the ``lockstep`` command."""

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import click
from alembic.util import CommandError

from admin import create_app, maintenance
from admin.catalogue import exporter, importer
from admin.catalogue.import_rows import KINDS
from admin.db import schema
from admin.imports import runner as imports
from admin.reconcile import own_state
from admin.relay.loop import Relay
from contract.config import BrokerSettings
from runtime import correlation, tracing
from runtime.cli.commands import EXIT_FAILED, resumable
from runtime.cli.terminal import json_option, progress
from runtime.files import utf8_stdout, whole_file
from runtime.heartbeat import Heartbeat
from runtime.metrics import MetricsSettings
from runtime.metrics_server import MetricsServer


def migrate_admin(revision: str) -> None:
    """Migrate Admin's database to ``revision``, up or down."""
    with create_app().app_context():
        try:
            if revision == schema.NONE:
                schema.downgrade()
            else:
                schema.upgrade(revision)
        except CommandError as error:
            raise click.ClickException(f"{error}. Nothing was migrated.") from None
    click.echo(f"Admin's database is at {revision}.", err=True)


@click.command()
@click.option(
    "--heartbeat",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Touch this file while working; 'lockstep health relay' looks at its age.",
)
def relay(heartbeat: Path | None) -> None:
    """Send what the Client does not hold yet, prove what it does (A3, A6), and carry out uploaded imports. Any number
    may run.

    SIGTERM or Ctrl-C ends it after the step in hand, within seconds; what was not verified is due again.

    \b
    Examples, the second for a supervisor:
      lockstep relay
      lockstep relay --heartbeat /run/lockstep/relay
    """
    BrokerSettings()  # if it is wrong, say so now and not at the first product
    metrics = MetricsServer(MetricsSettings())
    tracing.start("relay")
    app = create_app()
    with app.app_context():
        metrics.start()
        process = Relay(Heartbeat(heartbeat) if heartbeat else None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop())
        with imports.running(app), maintenance.running(app):
            process.run()


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True))
@click.option("--format", "kind", type=click.Choice(KINDS), help="Default: by the file's name, else csv.")
@click.option("--restart", is_flag=True, help="Start over, even if an earlier run of this file was interrupted.")
@click.option("--author", default="import", show_default=True, help="Named in each product's history.")
@json_option
def import_(file: Path, kind: str | None, restart: bool, author: str, as_json: bool) -> None:
    """Create or update products from FILE (.csv, or .ndjson with one object per line; -: standard input), by sku.

    Rows with errors are reported with their line and skipped; the others are taken. An interrupted import goes
    on where it stopped when it is run again. Exits 1 when rows were skipped, 2 when the file cannot be read.

    \b
    Examples:
      lockstep import catalogue.csv
      lockstep import catalogue.ndjson --author "spring catalogue"
      lockstep import catalogue.csv --restart
      lockstep import catalogue.csv --json 2> errors.txt
      zcat catalogue.ndjson.gz | lockstep import - --format ndjson
    """
    goes_on = resumable("what was imported stays; run the same command again, and it goes on there")
    with create_app().app_context(), goes_on, _read_whole(file) as whole:
        try:
            result = importer.import_file(whole, author, restart=restart, on_error=_report, kind=kind)
        except importer.UnreadableFileError as error:
            raise click.UsageError(f"{file}: {error}") from None
    counts = (f"{getattr(result, name)} {name}" for name in ("created", "updated", "unchanged", "skipped"))
    repeated = f"; {result.repeated} overtaken by a later row of the same sku" if result.repeated else ""
    click.echo(", ".join(counts) + repeated, err=True)
    click.echo(f"In every log: request id {correlation.bound()}", err=True)
    if as_json:
        click.echo(json.dumps({**asdict(result), "request_id": correlation.bound()}))
    if result.skipped:
        raise click.exceptions.Exit(EXIT_FAILED)


@contextmanager
def _read_whole(file: Path) -> Iterator[Path]:
    """Yield ``file``, or a copy of what standard input or a pipe brings: an import reads its file more than once."""
    if file.is_file():
        yield file
        return
    source = sys.stdin.buffer if str(file) == "-" else file.open("rb")
    with source, tempfile.NamedTemporaryFile(prefix="lockstep-import-") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


def _report(line: int, reason: str) -> None:
    click.echo(f"line {line}: {reason}", err=True)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True), default="-")
@click.option("--format", "kind", type=click.Choice(KINDS), help="Default: by the file's name, else csv.")
def export(file: Path, kind: str | None) -> None:
    """Write every live product to FILE (default: standard output) as UTF-8, as 'lockstep import' reads it.

    FILE appears, or replaces the one before, only once it is complete.

    \b
    Examples:
      lockstep export catalogue.csv
      lockstep export - --format ndjson | gzip > catalogue.ndjson.gz
    """
    chosen = kind or ("ndjson" if file.suffix in importer.NDJSON_SUFFIXES else "csv")
    again = resumable("what is written so far is no whole catalogue; run it again")
    with create_app().app_context(), again, _written(file) as out, progress("exporting", own_state.live()) as advance:
        count = exporter.export(out, chosen, advance)
    click.echo(f"{count} products", err=True)


@contextmanager
def _written(file: Path) -> Iterator[IO[str]]:
    """Yield what an export is written to. Raises ClickException where that fails."""
    to_stdout = str(file) == "-"
    try:
        with utf8_stdout() if to_stdout else whole_file(file) as out:
            yield out
    except BrokenPipeError:
        raise  # whoever read it wants no more
    except OSError as error:
        where = "Standard output" if to_stdout else file
        raise click.ClickException(f"{where}: {error.strerror}. No whole catalogue was written.") from None
