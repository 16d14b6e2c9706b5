"""Shared by all commands: lazy import, and failures as one line with an exit code."""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from importlib import import_module
from typing import Any

import click

from runtime.imports import without_collector
from runtime.masking import mask
from runtime.settings import SettingsError

EXIT_FAILED, EXIT_USAGE, EXIT_DRIFT, EXIT_DEPENDENCY_DOWN, EXIT_INTERRUPTED = 1, 2, 3, 4, 130

# By name, so that a command does not import libraries that it does not use.
_DATABASE = {"OperationalError", "ProgrammingError"}  # SQLAlchemy's; kombu also has the first
_STORE_DOWN = {"ConnectionFailure", "WriteConcernError"}  # PyMongo's
_OTHERS_DOWN = {
    "AdminUnavailableError",
    "ClientUnavailableError",
    "BrokerUnavailableError",
    "PublishError",
    "BusyError",
}
_OUTPUT_FAILED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_OTHER_SHAPE = re.compile(r"no such (table|column)|Table '.*' doesn't exist|Unknown column", re.IGNORECASE)


class LazyCommand(click.Command):
    """The command or group at ``target`` (``module:name``), imported on its first use.

    A host of Admin needs no settings of the Client, nor the reverse, and a Celery worker loads the commands of neither.
    ``line`` is its short help, so that listing commands imports none.
    """

    def __init__(self, name: str, target: str, line: str) -> None:
        super().__init__(name, short_help=line)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """Return the context of the real command, with ``args`` parsed. Raises click's errors."""
        with failures_explained():
            return self.load().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return ctx.command.invoke(ctx)

    def load(self) -> click.Command:
        """Import the command and return a copy that explains its failures. Raises ImportError, AttributeError."""
        module, _, name = self._target.partition(":")
        with without_collector():
            command: click.Command = copy(getattr(import_module(module), name))
        command.invoke = _explained(command.invoke)  # type: ignore[method-assign, assignment]  # of this copy
        return command


def _explained(invoke: Callable[[click.Context], Any]) -> Callable[[click.Context], Any]:
    @wraps(invoke)
    def explained(ctx: click.Context) -> Any:
        from runtime import correlation  # not at the top: its imports would slow down every Celery process

        correlation.begin()
        with failures_explained():
            return invoke(ctx)

    return explained


@contextmanager
def resumable(how: str) -> Iterator[None]:
    """Print ``how`` to resume where Ctrl-C interrupts the block."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.Abort(how) from None


@contextmanager
def failures_explained() -> Iterator[None]:
    """Turn an expected failure into one line on stderr and its exit code."""
    try:
        yield
    except SettingsError as error:
        click.echo(f"Settings:\n{error}", err=True)
        raise click.exceptions.Exit(EXIT_USAGE) from None
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo(f"interrupted: {error}" if str(error) else "interrupted", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OUTPUT_FAILED:
            from runtime.files import abandon_stdout  # here, as above

            abandon_stdout()
            click.echo(f"Writing failed: {error.strerror}.", err=True)
            raise click.exceptions.Exit(EXIT_FAILED) from None
        if (explained := _explain(error)) is None:
            raise
        line, code = explained
        click.echo(mask(line), err=True)
        raise click.exceptions.Exit(code) from None


def _explain(error: Exception) -> tuple[str, int] | None:
    """Return the line and exit code for a dependency that is down or not set up; None for another ``error``."""
    names, cause = {cls.__name__ for cls in type(error).__mro__}, error.__cause__ or error
    if names & _OTHERS_DOWN:
        return str(error), EXIT_DEPENDENCY_DOWN
    if names & _DATABASE and _OTHER_SHAPE.search(str(cause)):
        return (
            f"Admin's database has tables of another version: {cause}. Run 'lockstep migrate admin'.",
            EXIT_FAILED,
        )
    if names & (_DATABASE - {"ProgrammingError"} | _STORE_DOWN):
        what = "broker" if type(error).__module__.startswith("kombu") else "database"
        return f"The {what} does not answer: {cause}", EXIT_DEPENDENCY_DOWN
    return None
