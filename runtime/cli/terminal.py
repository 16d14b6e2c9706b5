"""Prompts and progress bars of both services' commands."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.cli.commands import EXIT_FAILED
from runtime.ids import MAX_ID

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output, for programs.")
PRODUCT_ID = click.IntRange(1, MAX_ID)


def check_range(options: tuple[str, str], first: Any, last: Any) -> None:
    """Raise UsageError where the range between two ``options`` ends before it begins. None is an open end."""
    if first is not None and last is not None and first > last:
        raise click.UsageError(f"{options[0]} {first} is above {options[1]} {last}; give the lower one first.")


def read_password(from_stdin: bool) -> str:
    """Return a password from standard input or a prompt."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return str(password)


def confirm(question: str, yes: bool) -> None:
    """Return after a yes, by option or at the prompt; exit after a no. Raises UsageError without a terminal."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("This command asks for confirmation, and there is no terminal. Add --yes.")
    if not click.confirm(question, err=True):
        click.echo("Nothing was changed.", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar where stderr is a terminal; yield a function that sets the number done."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # lines above the bar on the same terminal; never data into stderr
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=min(max(done, 0), total))
