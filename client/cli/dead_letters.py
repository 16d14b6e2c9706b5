"""``celery -A tasks dead``: what operators type about dead letters. Data on stdout, everything else on stderr."""

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
from client.dead_letters.documents import NEW, STATES
from client.dead_letters.queries import Filter
from contract.config import BrokerSettings
from runtime import logs
from runtime.cli.commands import EXIT_FAILED, resumable
from runtime.cli.terminal import PRODUCT_ID, confirm, json_option

_PIPE_WIDTH = 200  # columns of a table that no terminal bounds
_LIST_AT_MOST = 10_000  # dead letters in one list
_MOVED_AT_MOST = 100  # runs of the collector before a command looks

_NONE_KEPT = (
    "Valkey keeps no dead letters: messages that no worker can process are dropped. See Admin's console for stuck "
    "products, and Flower and the worker's log for failed tasks."
)

Letter = dict[str, Any]


@click.group()
def dead() -> None:
    """Look at messages that no worker could process, replay or discard them.

    Exit codes: 0 ok, 1 failed, 2 usage or settings, 4 a dependency is down, 130 interrupted.
    """


def _which(command: Callable[..., None]) -> Callable[..., None]:
    reason = click.option("--reason", default="", metavar="TEXT", help="Only those whose reason holds TEXT.")
    return reason(
        click.option("--product", type=PRODUCT_ID, metavar="ID", help="Only those about product ID.")(command)
    )


@dead.command("list")
@click.option("--state", type=click.Choice([*STATES, "any"]), default=NEW, show_default=True, help="Only those.")
@_which
@click.option("--limit", type=click.IntRange(1, _LIST_AT_MOST), default=50, show_default=True, help="At most so many.")
@json_option
def list_(state: str, reason: str, product: int | None, limit: int, as_json: bool) -> None:
    """List dead letters, newest first. Collects what the broker holds before.

    \b
    Examples:
      celery -A tasks dead list
      celery -A tasks dead list --state any --reason unreadable
      celery -A tasks dead list --json | jq '.[].reason'
    """
    _connect()
    _collect()
    letters = queries.find(Filter(None if state == "any" else state, reason, product), limit + 1)
    if as_json:
        click.echo(json.dumps([queries.show(letter) for letter in letters[:limit]], indent=2))
        return
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(dead_letter_text.table(letters[:limit]))
    if len(letters) > limit:
        click.echo(f"There are more; --limit shows more than {limit}.", err=True)


@dead.command("show")
@click.argument("id_", metavar="ID")
@json_option
def show(id_: str, as_json: bool) -> None:
    """Show everything about one dead letter, its payload too. The beginning of the ID is enough.

    \b
    Examples:
      celery -A tasks dead show 3f9a
      celery -A tasks dead show 3f9a --json | jq .payload
    """
    _connect()
    shown = queries.show(_get(id_))
    click.echo(json.dumps(shown, indent=2) if as_json else dead_letter_text.account(shown))


@dead.command("replay")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Every new one, or those that the options name.")
@_which
@click.option("--dry-run", is_flag=True, help="Only say what would be replayed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def replay(ids: tuple[str, ...], everything: bool, reason: str, product: int | None, dry_run: bool, yes: bool) -> None:
    """Fetch the products of the letters ID anew, and apply them.

    Then the letters are marked as replayed. The old message is never sent again, so a product deleted since stays
    deleted. Interrupted, run it again: what was not marked is still new.

    \b
    Examples:
      celery -A tasks dead replay 3f9a 71c0
      celery -A tasks dead replay --all --dry-run
      celery -A tasks dead replay --all --reason unreadable --yes
    """
    gateway, who = _connect(), _who()
    letters = _chosen(ids, everything, Filter(NEW, reason, product))
    if everything and not dry_run:
        confirm("Replay all of these dead letters?", yes)

    def one(letter: Letter) -> str:
        products = service.product_ids(letter) if dry_run else service.replay(gateway, letter, who)
        return f"{'would replay' if dry_run else 'replayed'} {letter['_id']} product {', '.join(map(str, products))}"

    _each(letters, one, service.NotReplayableError)


@dead.command("discard")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Every new one, or those that the options name.")
@_which
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(ids: tuple[str, ...], everything: bool, reason: str, product: int | None, yes: bool) -> None:
    """Put the letters ID aside for good. Their products are left as they are.

    \b
    Examples:
      celery -A tasks dead discard 3f9a
      celery -A tasks dead discard --all --reason "no task is called" --yes
    """
    _connect()
    letters = _chosen(ids, everything, Filter(NEW, reason, product))
    confirm("Discard them for good?", yes)
    who = _who()

    def one(letter: Letter) -> str:
        service.discard(letter, who)
        return f"discarded {letter['_id']}"

    _each(letters, one, service.AlreadyReplayedError)


def _connect() -> AdminGateway:
    """Return the gateway to Admin, with this process connected to the store."""
    logs.configure()
    logging.getLogger().setLevel(logging.ERROR)  # what a command does, it says itself
    return worker.gateway()


def _collect() -> None:
    """Take over what the broker holds; without the broker, what was collected before is still there to see."""
    if not BrokerSettings().keeps_dead_letters:
        click.echo(_NONE_KEPT, err=True)
        return
    try:
        for _ in range(_MOVED_AT_MOST):
            if not collect.collect(collect.broker()):
                return
    except collect.BrokerUnavailableError as error:
        click.echo(f"{error}\nGoing on with what was collected before.", err=True)


def _chosen(ids: tuple[str, ...], everything: bool, wanted: Filter) -> Iterator[Letter]:
    if bool(ids) == everything or (ids and wanted != Filter(NEW)):
        raise click.UsageError("Give ids, or --all with or without --reason and --product.")
    if ids:
        return iter([_get(id_) for id_ in dict.fromkeys(ids)])
    _collect()
    return queries.each(wanted)


def _get(id_: str) -> Letter:
    try:
        return queries.get(id_)
    except queries.NoSuchLetterError as error:
        raise click.ClickException(str(error)) from None


def _each(letters: Iterator[Letter], settle: Callable[[Letter], str], refusal: type[Exception]) -> None:
    """Settle one after the other; each is told when it is done, and those refused do not keep the others."""
    done = refused = 0
    with resumable("what is told above is done; run it again for the rest"):
        for letter in letters:
            try:
                click.echo(settle(letter))
                done += 1
            except refusal as error:
                click.echo(f"{letter['_id']}: {error}", err=True)
                refused += 1
    click.echo(f"{done} done, {refused} refused", err=True)
    if refused:
        raise click.exceptions.Exit(EXIT_FAILED)


def _who() -> str:
    """Return who types this, as the letter will name them."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"
