"""``lockstep dead-letters``: the operators' commands. Data on stdout, everything else on stderr."""

import getpass
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.console import Console

from client import worker
from client.admin_gateway import AdminGateway
from client.cli import dead_letter_text
from client.dead_letters import collect, queries, service
from client.dead_letters.documents import OPEN, STATES
from client.dead_letters.queries import Filter
from contract.config import BrokerSettings
from runtime import logs
from runtime.cli.commands import EXIT_FAILED, resumable
from runtime.cli.terminal import PRODUCT_ID, confirm, json_option

_PIPE_WIDTH = 200  # columns of a table that goes to no terminal
_LIST_AT_MOST = 10_000  # dead letters in one list
_COLLECTIONS_AT_MOST = 100  # before a command reads the store

_NONE_STORED = (
    "Valkey stores no dead letters: messages that no worker can process are dropped. See Admin's console for stuck "
    "products, and Flower and the worker's log for failed tasks."
)

DeadLetter = dict[str, Any]


@click.group("dead-letters")
def dead_letters() -> None:
    """List messages that no worker could process; resync or discard them.

    Exit codes: 0 ok, 1 failed, 2 usage or settings, 4 a dependency is down, 130 interrupted.
    """


def _selection(command: Callable[..., None]) -> Callable[..., None]:
    reason = click.option("--reason", default="", metavar="TEXT", help="Only those whose reason contains TEXT.")
    return reason(
        click.option("--product", type=PRODUCT_ID, metavar="ID", help="Only those about product ID.")(command)
    )


@dead_letters.command("list")
@click.option(
    "--state",
    type=click.Choice([*STATES, "any"]),
    default=OPEN,
    show_default=True,
    help="List only dead letters in this state.",
)
@_selection
@click.option(
    "--limit", type=click.IntRange(1, _LIST_AT_MOST), default=50, show_default=True, help="List at most this many."
)
@json_option
def list_(state: str, reason: str, product: int | None, limit: int, as_json: bool) -> None:
    """List dead letters, newest first. Collects new ones from the broker first.

    \b
    Examples:
      lockstep dead-letters list
      lockstep dead-letters list --state any --reason unreadable
      lockstep dead-letters list --json | jq '.[].reason'
    """
    _connect()
    _collect()
    found = queries.find(Filter(None if state == "any" else state, reason, product), limit + 1)
    if as_json:
        click.echo(json.dumps([queries.show(dead_letter) for dead_letter in found[:limit]], indent=2))
        return
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(dead_letter_text.table(found[:limit]))
    if len(found) > limit:
        click.echo(f"There are more than {limit}; raise --limit to list them.", err=True)


@dead_letters.command("show")
@click.argument("id_", metavar="ID")
@json_option
def show(id_: str, as_json: bool) -> None:
    """Show one dead letter with its payload. The beginning of the ID is enough.

    \b
    Examples:
      lockstep dead-letters show 3f9a
      lockstep dead-letters show 3f9a --json | jq .payload
    """
    _connect()
    shown = queries.show(_get(id_))
    click.echo(json.dumps(shown, indent=2) if as_json else dead_letter_text.details(shown))


@dead_letters.command("resync")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All open ones, or those that the options select.")
@_selection
@click.option("--dry-run", is_flag=True, help="Only list what would be resynced.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def resync(ids: tuple[str, ...], everything: bool, reason: str, product: int | None, dry_run: bool, yes: bool) -> None:
    """Resync the products of the dead letters ID.

    Their current state is fetched from Admin and applied; then the dead letter is recorded as resynced. The old message
    is never sent again, so a deleted product stays deleted. After an interruption, run the command again: what was not
    resynced is still open.

    \b
    Examples:
      lockstep dead-letters resync 3f9a 71c0
      lockstep dead-letters resync --all --dry-run
      lockstep dead-letters resync --all --reason unreadable --yes
    """
    gateway, user = _connect(), _user()
    selected = _selected(ids, everything, Filter(OPEN, reason, product))
    if everything and not dry_run:
        confirm("Resync all of these dead letters?", yes)

    def resync_one(dead_letter: DeadLetter) -> str:
        products = service.product_ids(dead_letter) if dry_run else service.resync(gateway, dead_letter, user)
        done = "would resync" if dry_run else "resynced"
        return f"{done} {dead_letter['_id']} product {', '.join(map(str, products))}"

    _each(selected, resync_one)


@dead_letters.command("discard")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All open ones, or those that the options select.")
@_selection
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def discard(ids: tuple[str, ...], everything: bool, reason: str, product: int | None, yes: bool) -> None:
    """Discard the dead letters ID. Their products are left as they are.

    \b
    Examples:
      lockstep dead-letters discard 3f9a
      lockstep dead-letters discard --all --reason "no task is called" --yes
    """
    _connect()
    selected = _selected(ids, everything, Filter(OPEN, reason, product))
    confirm("Discard these dead letters?", yes)
    user = _user()

    def discard_one(dead_letter: DeadLetter) -> str:
        if refusals := service.discard([dead_letter], user):
            raise service.RefusedError(refusals[dead_letter["_id"]])
        return f"discarded {dead_letter['_id']}"

    _each(selected, discard_one)


def _connect() -> AdminGateway:
    """Connect this process to the store and return the gateway to Admin."""
    logs.configure()
    logging.getLogger().setLevel(logging.ERROR)  # the command prints its own results
    return worker.gateway()


def _collect() -> None:
    """Collect what is in the broker's queue. While the broker is down, only dead letters collected before are shown."""
    if not BrokerSettings().keeps_dead_letters:
        click.echo(_NONE_STORED, err=True)
        return
    try:
        for _ in range(_COLLECTIONS_AT_MOST):
            if not collect.collect(collect.broker()):
                return
    except collect.BrokerUnavailableError as error:
        click.echo(f"{error}\nContinuing with the dead letters collected before.", err=True)


def _selected(ids: tuple[str, ...], everything: bool, wanted: Filter) -> Iterator[DeadLetter]:
    if bool(ids) == everything or (ids and wanted != Filter(OPEN)):
        raise click.UsageError("Give ids, or --all with or without --reason and --product.")
    if ids:
        return iter([_get(id_) for id_ in dict.fromkeys(ids)])
    _collect()
    return queries.each(wanted)


def _get(id_: str) -> DeadLetter:
    try:
        return queries.get(id_)
    except queries.NotFoundError as error:
        raise click.ClickException(str(error)) from None


def _each(selected: Iterator[DeadLetter], change: Callable[[DeadLetter], str]) -> None:
    """Change one dead letter after the other; print each result at once and continue after a refusal."""
    done = refused = 0
    with resumable("the dead letters listed above are done; run the command again for the rest"):
        for dead_letter in selected:
            try:
                click.echo(change(dead_letter))
                done += 1
            except service.RefusedError as error:
                click.echo(f"{dead_letter['_id']}: {error}", err=True)
                refused += 1
    click.echo(f"{done} done, {refused} refused", err=True)
    if refused:
        raise click.exceptions.Exit(EXIT_FAILED)


def _user() -> str:
    """Return the name that the dead letter records for this change."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"
