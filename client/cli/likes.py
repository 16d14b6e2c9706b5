"""``lockstep likes``: show, retry, compare and repair likes."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import click

from client import store
from client.admin_gateway import AdminGateway
from client.config import ClientSettings
from client.likes import diff, parked, recount, repair
from client.likes.status import LikesStatus, status
from contract.messages import format_time
from runtime.cli.commands import EXIT_DRIFT, resumable
from runtime.cli.terminal import json_option

SHOWN = 20  # products listed


@click.group()
def likes() -> None:
    """Show and repair the sync of likes."""


@likes.command("status")
@json_option
def show_status(as_json: bool) -> None:
    """Show pending and parked likes, and the circuit breaker.

    \b
    Examples:
      lockstep likes status
      lockstep likes status --json | jq .oldest_pending_seconds
    """
    store.connect(ClientSettings())
    found = status()
    shown = {k: format_time(v) if isinstance(v, datetime) else v for k, v in asdict(found).items()}
    if as_json:
        click.echo(json.dumps(shown))
        return
    _print_status(found, shown)


def _print_status(found: LikesStatus, shown: dict[str, Any]) -> None:
    age = found.oldest_pending_seconds
    click.echo(f"pending         {found.pending}" + (f", the oldest for {age:.0f} s" if age is not None else ""))
    click.echo(f"uncounted       {found.uncounted}")
    click.echo(f"last forwarded  {shown['last_forwarded_at'] or 'never'}")
    if found.breaker == "closed":
        click.echo("Admin           answers")
    else:
        click.echo(
            f"Admin           failed {found.failures} times since {shown['failing_since']}: {found.last_failure}"
        )
        click.echo(f"next probe      {shown['next_probe_at']}")
    if found.resending_for_epoch is not None:
        click.echo(f"recovery        every like is sent to Admin again, for epoch {found.resending_for_epoch}")
    for reason, count in sorted(found.parked.items()):
        click.echo(f"parked          {count}: {reason}")


@likes.command()
@json_option
def retry(as_json: bool) -> None:
    """Make every parked like pending again. A like that Admin refuses again is parked again.

    \b
    Examples:
      lockstep likes retry
      celery -A tasks call tasks.retry_likes
    """
    store.connect(ClientSettings())
    with resumable("likes made pending so far are forwarded; run the command again for the rest"):
        total, after = parked.retry()
        while after is not None:
            retried, after = parked.retry(after)
            total += retried
    click.echo(f"{total} likes are pending again and are forwarded in a few seconds.", err=True)
    if as_json:
        click.echo(json.dumps({"pending_again": total}))


@dataclass
class _Report:
    """Result of a comparison. ``likes`` counts by kind, ``products`` by product."""

    likes: Counter[str] = field(default_factory=Counter)
    products: Counter[int] = field(default_factory=Counter)
    counts_at_client: int = 0
    counts_at_admin: int = 0
    repaired: int = 0

    @property
    def drift(self) -> int:
        return self.likes.total() + self.counts_at_client + self.counts_at_admin


@likes.command("diff")
@json_option
@click.option(
    "--repair", "repairing", is_flag=True, help="Repair both sides: the higher revision wins; counts are recomputed."
)
def show_diff(as_json: bool, repairing: bool) -> None:
    """Compare likes and counts of both sides. Pending and parked likes are ignored.

    Exits 0 when they are equal or all differences were repaired, 3 when they differ, 4 when Admin or the database does
    not answer.

    \b
    Examples:
      lockstep likes diff
      lockstep likes diff --repair
      lockstep likes diff --json | jq .unrepaired
    """
    settings = ClientSettings()
    store.connect(settings)
    gateway, report = AdminGateway(settings), _Report()
    with resumable("run the command again" + ("; completed repairs are kept" if repairing else "")):
        _compare_likes(gateway, report, repairing)
        _compare_counts(gateway, report, repairing)
    unrepaired = report.drift - report.repaired
    if as_json:
        click.echo(json.dumps({"equal": report.drift == 0, "unrepaired": unrepaired, **vars(report)}))
    else:
        _print_differences(report)
    if unrepaired:
        raise click.exceptions.Exit(EXIT_DRIFT)


def _compare_likes(gateway: AdminGateway, report: _Report, repairing: bool) -> None:
    for found in diff.differences(gateway):
        report.likes.update(difference.kind for difference in found)
        report.products.update(difference.product for difference in found)
        if repairing:
            report.repaired += repair.repair(found)


def _compare_counts(gateway: AdminGateway, report: _Report, repairing: bool) -> None:
    inconsistent = recount.inconsistent()
    report.counts_at_client += inconsistent
    for wrong in recount.wrong_counts():
        report.counts_at_client += len(wrong)
        report.products.update(count.product for count in wrong)
        if repairing:
            recount.repair([count.product for count in wrong])
            report.repaired += len(wrong)
    if repairing and inconsistent:
        recount.repair([])
        report.repaired += inconsistent
    after: int | None = 0
    while after is not None:
        wrong, after = gateway.wrong_like_counts(after)
        report.counts_at_admin += len(wrong)
        report.products.update(count.product for count in wrong)
        if repairing and wrong:
            gateway.recount_likes([count.product for count in wrong])
            report.repaired += len(wrong)


def _print_differences(report: _Report) -> None:
    if not report.drift:
        click.echo("Both sides have the same likes and counts.")
        return
    for kind, number in report.likes.most_common():
        click.echo(f"{number} likes are {kind}")
    click.echo(f"{report.counts_at_client} counts are wrong at the Client, {report.counts_at_admin} at Admin")
    for product, number in report.products.most_common(SHOWN):
        click.echo(f"  product {product}: {number}")
    if report.repaired:
        click.echo(
            f"{report.repaired} were repaired; likes that are newer at the Client are forwarded in a few seconds."
        )
