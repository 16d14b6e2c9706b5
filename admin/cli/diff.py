"""``lockstep sync diff``: compare both stores, and repair the copy."""

import click
from sqlalchemy import select

from admin.cli.diff_report import Report, show_fields
from admin.core import create_core
from admin.db.extensions import db
from admin.outbox.models import SyncGeneration
from admin.reconcile import check, own_state
from admin.reconcile.compare import batched
from admin.reconcile.diff import HIGHEST, LOWEST, Comparison, UnknownProductError, fields_of
from admin.reconcile.repair_run import RepairRun
from contract.service_calls import MAX_REPAIRS
from runtime.cli.commands import EXIT_DRIFT, EXIT_FAILED, resumable
from runtime.cli.terminal import PRODUCT_ID, check_range, json_option, progress


@click.command()
@click.argument("product_id", type=click.IntRange(LOWEST, HIGHEST), required=False)
@json_option
@click.option("--repair", is_flag=True, help="Overwrite wrong copies at the Client with Admin's state.")
@click.option("--yes", is_flag=True, help="Allow a repair to delete many products at the Client.")
@click.option("--from", "first", type=PRODUCT_ID, help="Only products with this id or a higher one.")
@click.option("--to", "last", type=PRODUCT_ID, help="Only products with this id or a lower one.")
def diff(product_id: int | None, as_json: bool, repair: bool, yes: bool, first: int | None, last: int | None) -> None:
    """Compare the content of both stores; with PRODUCT_ID, one product field by field.

    Pending products do not count as drift. Exits 0 when the stores are in sync, or all drift was repaired; 3 when
    drift is left; 4 when the Client or the database does not answer.

    \b
    Examples:
      lockstep sync diff
      lockstep sync diff 42
      lockstep sync diff --from 1000 --to 1999 --repair
      lockstep sync diff --json | jq '.drift[].sku'
    """
    if product_id is not None and (first or last):
        raise click.UsageError("Give either a product or a range.")
    check_range(("--from", "--to"), first, last)
    again = resumable("run the command again" + ("; completed repairs are kept" if repair else ""))
    with create_core().app_context(), again:
        if product_id is not None and not repair:
            _one(product_id, as_json)
            return
        if repair:
            _refuse_while_restored()
        after = first - 1 if first else LOWEST
        span = (after, last or HIGHEST) if product_id is None else (product_id - 1, product_id)
        _range(span, as_json, RepairRun(allowed=yes) if repair else None)


def _one(product_id: int, as_json: bool) -> None:
    try:
        found = fields_of(product_id)
    except UnknownProductError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(EXIT_FAILED) from None
    show_fields(found, as_json)
    if not found.same:
        raise click.exceptions.Exit(EXIT_DRIFT)


def _range(span: tuple[int, int], as_json: bool, repairing: RepairRun | None) -> None:
    report, comparison = Report(as_json), Comparison()
    with progress("comparing", own_state.highest_id()) as advance:
        for batch in batched(comparison.drift(*span, advance), MAX_REPAIRS):
            for outcome in repairing.repair(batch) if repairing else [(difference, None) for difference in batch]:
                report.add(*outcome)
    for outcome in repairing.delete() if repairing else []:
        report.add(*outcome)
    check.recheck_all()
    report.end(comparison.pending)
    if repairing and repairing.withheld:
        click.echo(
            f"{repairing.withheld} products were not deleted at the Client: more than {repairing.limit} need --yes. "
            "Run the command again with --yes to delete them.",
            err=True,
        )
        raise click.exceptions.Exit(EXIT_FAILED)
    if report.left:
        raise click.exceptions.Exit(EXIT_DRIFT)


def _refuse_while_restored() -> None:
    """Refuse a repair while a restored database is not recovered: it would spread the old state of the backup."""
    alarm = db.session.execute(select(SyncGeneration.alarm)).scalar_one()
    db.session.rollback()
    if alarm:
        click.echo(f"The database of {alarm} was restored from a backup: run 'lockstep sync recover' first.", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
