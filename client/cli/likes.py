"""``lockstep likes``: how the likes are doing, and what to do about it."""

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

SHOWN = 20  # products named one by one


@click.group()
def likes() -> None:
    """Shoppers' likes, between the shop and Admin."""


@likes.command("status")
@json_option
def show_status(as_json: bool) -> None:
    """Show what waits for Admin and why. Also what Admin refused, and when it is asked next.

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
    _tell(found, shown)


def _tell(found: LikesStatus, shown: dict[str, Any]) -> None:
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
        click.echo(f"recovery        every like is told to Admin again, for epoch {found.resending_for_epoch}")
    for reason, count in sorted(found.parked.items()):
        click.echo(f"parked          {count}: {reason}")


@likes.command()
@json_option
def retry(as_json: bool) -> None:
    """Make every parked like pending again. What Admin refuses once more is parked once more.

    \b
    Examples:
      lockstep likes retry
      celery -A tasks call tasks.retry_likes
    """
    store.connect(ClientSettings())
    with resumable("what is pending again is forwarded; run it again for the rest"):
        total, after = parked.retry()
        while after is not None:
            replayed, after = parked.retry(after)
            total += replayed
    click.echo(f"{total} likes are pending again; the next sweep forwards them.", err=True)
    if as_json:
        click.echo(json.dumps({"pending_again": total}))


@dataclass
class _Report:
    """What a comparison found. ``likes`` counts by kind, ``products`` by product."""

    likes: Counter[str] = field(default_factory=Counter)
    products: Counter[int] = field(default_factory=Counter)
    counts_here: int = 0
    counts_at_admin: int = 0
    repaired: int = 0

    @property
    def drift(self) -> int:
        return self.likes.total() + self.counts_here + self.counts_at_admin


@likes.command("diff")
@json_option
@click.option(
    "--repair", "repairing", is_flag=True, help="Repair both sides: the higher revision wins; counts are made anew."
)
def show_diff(as_json: bool, repairing: bool) -> None:
    """Compare the like sets and counts of both sides. What is pending or parked is no difference.

    Exits 0 when they are equal, or all that differed was repaired; 3 when they differ; 4 when Admin or the database
    does not answer.

    \b
    Examples:
      lockstep likes diff
      lockstep likes diff --repair
      lockstep likes diff --json | jq .unrepaired
    """
    settings = ClientSettings()
    store.connect(settings)
    gateway, report = AdminGateway(settings), _Report()
    with resumable("run it again" + ("; what is repaired stays repaired" if repairing else "")):
        _compare_likes(gateway, report, repairing)
        _compare_counts(gateway, report, repairing)
    unrepaired = report.drift - report.repaired
    if as_json:
        click.echo(json.dumps({"equal": report.drift == 0, "unrepaired": unrepaired, **vars(report)}))
    else:
        _tell_differences(report)
    if unrepaired:
        raise click.exceptions.Exit(EXIT_DRIFT)


def _compare_likes(gateway: AdminGateway, report: _Report, repairing: bool) -> None:
    for found in diff.differences(gateway):
        report.likes.update(difference.kind for difference in found)
        report.products.update(difference.product for difference in found)
        if repairing:
            report.repaired += repair.repair(found)


def _compare_counts(gateway: AdminGateway, report: _Report, repairing: bool) -> None:
    wrong_labels = recount.inconsistent()
    report.counts_here += wrong_labels
    for wrong in recount.wrong_counts():
        report.counts_here += len(wrong)
        report.products.update(count.product for count in wrong)
        if repairing:
            recount.repair([count.product for count in wrong])
            report.repaired += len(wrong)
    if repairing and wrong_labels:
        recount.repair([])
        report.repaired += wrong_labels
    after: int | None = 0
    while after is not None:
        wrong, after = gateway.wrong_like_counts(after)
        report.counts_at_admin += len(wrong)
        report.products.update(count.product for count in wrong)
        if repairing and wrong:
            gateway.recount_likes([count.product for count in wrong])
            report.repaired += len(wrong)


def _tell_differences(report: _Report) -> None:
    if not report.drift:
        click.echo("Both sides hold the same likes and counts.")
        return
    for kind, number in report.likes.most_common():
        click.echo(f"{number} likes are {kind}")
    click.echo(f"{report.counts_here} counts are wrong here, {report.counts_at_admin} at Admin")
    for product, number in report.products.most_common(SHOWN):
        click.echo(f"  product {product}: {number}")
    if report.repaired:
        click.echo(f"{report.repaired} were repaired; what is newer here is pending until the next sweep.")
