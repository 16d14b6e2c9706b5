"""``lockstep import`` and ``lockstep export``: the catalogue as a file."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import click

from admin.catalogue import exporter, importer
from admin.catalogue.import_rows import KINDS
from admin.core import create_core
from admin.reconcile import own_state
from runtime import correlation
from runtime.cli.commands import EXIT_FAILED, resumable
from runtime.cli.terminal import json_option, progress
from runtime.files import utf8_stdout, whole_file


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True))
@click.option("--format", "kind", type=click.Choice(KINDS), help="Default: by the file's name, else csv.")
@click.option("--restart", is_flag=True, help="Start at the first row, even after an interrupted run.")
@click.option("--author", default="import", show_default=True, help="Author of the changes in each product's history.")
@json_option
def import_(file: Path, kind: str | None, restart: bool, author: str, as_json: bool) -> None:
    """Create products from FILE, and update those whose SKU exists.

    FILE is .csv, or .ndjson with one object per line; - reads standard input. Rows with errors are skipped and
    reported with their line number. To resume an interrupted import, run the same command again. Exits 1 when rows
    were skipped, 2 when the file cannot be read.

    \b
    Examples:
      lockstep import catalogue.csv
      lockstep import catalogue.ndjson --author "spring catalogue"
      lockstep import catalogue.csv --restart
      lockstep import catalogue.csv --json 2> errors.txt
      zcat catalogue.ndjson.gz | lockstep import - --format ndjson
    """
    again = resumable("imported rows stay; run the same command again to resume")
    with create_core().app_context(), again, _read_whole(file) as whole:
        try:
            result = importer.import_file(whole, author, restart=restart, on_error=_report, kind=kind)
        except importer.UnreadableFileError as error:
            raise click.UsageError(f"{file}: {error}") from None
    counts = (f"{getattr(result, name)} {name}" for name in ("created", "updated", "unchanged", "skipped"))
    repeated = f"; {result.repeated} replaced by a later row of the same SKU" if result.repeated else ""
    click.echo(", ".join(counts) + repeated, err=True)
    click.echo(f"Request id in the logs: {correlation.bound()}", err=True)
    if as_json:
        click.echo(json.dumps({**asdict(result), "request_id": correlation.bound()}))
    if result.skipped:
        raise click.exceptions.Exit(EXIT_FAILED)


@contextmanager
def _read_whole(file: Path) -> Iterator[Path]:
    """Yield ``file``, or a copy of standard input or of a pipe: an import reads its file more than once."""
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
    """Write all products to FILE (default: standard output) in UTF-8, in the format of 'lockstep import'.

    FILE is created or replaced only once it is complete.

    \b
    Examples:
      lockstep export catalogue.csv
      lockstep export - --format ndjson | gzip > catalogue.ndjson.gz
    """
    chosen = kind or ("ndjson" if file.suffix in importer.NDJSON_SUFFIXES else "csv")
    again = resumable("the export is not complete; run the same command again")
    with create_core().app_context(), again, _written(file) as out, progress("exporting", own_state.live()) as advance:
        count = exporter.export(out, chosen, advance)
    click.echo(f"{count} products", err=True)


@contextmanager
def _written(file: Path) -> Iterator[IO[str]]:
    """Yield the stream that an export is written to. Raises ClickException when writing fails."""
    to_stdout = str(file) == "-"
    try:
        with utf8_stdout() if to_stdout else whole_file(file) as out:
            yield out
    except BrokenPipeError:
        raise  # the reader closed the pipe
    except OSError as error:
        where = "Standard output" if to_stdout else file
        raise click.ClickException(f"{where}: {error.strerror}. The export is not complete.") from None
