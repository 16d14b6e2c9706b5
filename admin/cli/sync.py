"""``lockstep sync`` and ``celery -A tasks resync``: show and repair the replication."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from sqlalchemy import select

from admin.cli.status_table import table
from admin.core import create_core
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.monitoring import status as status_
from admin.relay import recovery as recovery_
from admin.relay import resync as resync_
from runtime import correlation
from runtime.cli.commands import EXIT_DEPENDENCY_DOWN, EXIT_DRIFT, LazyCommand, resumable
from runtime.cli.terminal import PRODUCT_ID, check_range, confirm, json_option, progress

_EXIT_CODES = {
    status_.UNKNOWN: EXIT_DEPENDENCY_DOWN,
    status_.STUCK_ROWS: EXIT_DRIFT,
    status_.DRIFTED: EXIT_DRIFT,
    status_.RESTORED: EXIT_DRIFT,
}
_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
_POLL_SECONDS = 0.5


@click.group()
def sync() -> None:
    """Show and repair what is out of sync between Admin and the Client."""


sync.add_command(LazyCommand("diff", "admin.cli.diff:diff", "Compare both stores; repair with --repair."))


@sync.command("status")
@json_option
@click.option("--watch", is_flag=True, help="Refresh every two seconds until Ctrl-C.")
def status(as_json: bool, watch: bool) -> None:
    """Show what is pending, stuck or lagging, and since when.

    Exits 0 when in sync or pending; 3 when an operator has to act (stuck, drift, restored); 4 when the Client does not
    answer.

    \b
    Examples:
      lockstep sync status
      lockstep sync status --watch
      lockstep sync status --json | jq .state
    """
    with create_core().app_context():
        if watch and not as_json:
            _watch()
        while watch:  # one object a line, for a program
            click.echo(json.dumps(_as_json(status_.status())))
            time.sleep(2)
        now = status_.status()
    if as_json:
        click.echo(json.dumps(_as_json(now), indent=2))
    else:
        Console().print(table(now))
    raise click.exceptions.Exit(_EXIT_CODES.get(now.state, 0))


def _as_json(now: status_.Status) -> Any:
    from admin.rest.replication_schemas import StatusSchema  # here: the table needs no marshmallow

    return StatusSchema().dump(now)


def _watch() -> None:
    with Live(table(status_.status()), auto_refresh=False) as screen:
        while True:
            time.sleep(2)
            screen.update(table(status_.status()), refresh=True)


@click.command()
@click.argument("ids", nargs=-1, type=PRODUCT_ID)
@click.option("--sku", "skus", multiple=True, help="The product with this SKU; repeatable.")
@click.option("--from", "first_id", type=PRODUCT_ID, help="Products with this id or a higher one.")
@click.option("--to", "last_id", type=PRODUCT_ID, help="Products with this id or a lower one.")
@click.option("--changed-since", type=click.DateTime(_DATES), help="Products changed at this time or later (UTC).")
@click.option("--changed-until", type=click.DateTime(_DATES), help="Products changed at this time or before (UTC).")
@click.option("--stuck", is_flag=True, help="Only stuck products.")
@click.option("--all", "everything", is_flag=True, help="Every product.")
@click.option("--dry-run", is_flag=True, help="Only print how many products are selected.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until all are verified.")
@json_option
def resync(
    ids: tuple[int, ...],
    skus: tuple[str, ...],
    first_id: int | None,
    last_id: int | None,
    changed_since: datetime | None,
    changed_until: datetime | None,
    stuck: bool,
    everything: bool,
    dry_run: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Send products to the Client again. IDS or options select them.

    Several options narrow the selection. Correct copies stay untouched, so it is safe to repeat. The command only
    marks the products as pending; a running relay sends them, also after Ctrl-C.

    'celery -A tasks resync' and 'lockstep sync resync' are the same command.

    \b
    Examples:
      lockstep sync resync 42 43
      lockstep sync resync --sku MUG-1
      lockstep sync resync --from 1000 --to 1999 --no-wait
      celery -A tasks resync --stuck
      celery -A tasks resync --changed-since 2026-11-01 --dry-run
    """
    since, until = _utc(changed_since), _utc(changed_until)
    check_range(("--from", "--to"), first_id, last_id)
    check_range(("--changed-since", "--changed-until"), since, until)
    selection = resync_.Selection(ids, skus, first_id, last_id, since, until, stuck)
    if (selection == resync_.Selection()) != everything:
        raise click.UsageError("Give ids or options that select products, or --all alone.")
    with create_core().app_context():
        total, done = resync_.count(selection), 0
        if dry_run or not total:
            if not as_json:
                click.echo(f"{total} products" + (" would be resynced" if dry_run else " selected"))
        else:
            done = _carry_out(selection, total, wait)
        if as_json:
            click.echo(json.dumps({"selected": total, "marked": done, "request_id": correlation.bound()}))


def _carry_out(selection: resync_.Selection, total: int, wait: bool) -> int:
    again = resumable("products marked so far are sent; run the command again for the rest")
    with again, progress("marked", total) as advance:
        done = resync_.mark_pending(selection, advance)
    with resumable("the relays continue; 'lockstep sync status --watch' shows their progress"):
        click.echo(f"{done} products marked; request id in the logs: {correlation.bound()}", err=True)
        if wait:
            _wait_until_verified(done)
    return done


sync.add_command(resync)


@sync.command("recover")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def recover(yes: bool) -> None:
    """Recover after a database was restored from a backup.

    Begins a new epoch, in which Admin's current state replaces every copy at the Client. The shop stays up and
    complete. Afterwards, 'lockstep sync diff --repair' removes products that only the Client has.

    \b
    Examples:
      lockstep sync recover
      lockstep sync recover --yes
    """
    confirm("Every product is sent again, and Admin's state replaces the Client's. Continue?", yes)
    with create_core().app_context():
        done = recovery_.recover()
    click.echo(f"epoch {done.epoch} began; {done.products} products are sent again (lockstep sync status --watch)")


def _wait_until_verified(total: int) -> None:
    marked_at = db.session.execute(select(utc_now())).scalar_one()
    db.session.rollback()
    with progress("verified", total) as advance:
        while left := resync_.count_pending(marked_at):
            advance(max(0, total - left))
            time.sleep(_POLL_SECONDS)
    click.echo("all verified", err=True)


def _utc(moment: datetime | None) -> datetime | None:
    """Return a time as the database stores it: UTC, naive. Times without a zone are UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment and moment.tzinfo else moment
