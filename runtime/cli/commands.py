"""What every command line of ours shares: commands imported when they are called, failures in one clear line."""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from importlib import import_module
from typing import Any

import click

from runtime.masking import mask
from runtime.settings import SettingsError

EXIT_FAILED, EXIT_USAGE, EXIT_DRIFT, EXIT_DEPENDENCY_DOWN, EXIT_INTERRUPTED = 1, 2, 3, 4, 130

# By name: a command that cannot meet one of them does not import its library either.
_DATABASE = {"OperationalError", "ProgrammingError"}  # SQLAlchemy's; kombu has the first as well
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
    """The command at ``target`` (``module:name``), a group or not, imported only when it is asked for.

    An Admin host needs no settings of the Client's, nor the reverse, and a Celery worker loads neither's commands.
    ``line`` is the first of its help, so that listing commands imports none of them.
    """

    def __init__(self, name: str, target: str, line: str) -> None:
        super().__init__(name, short_help=line)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """Parse ``args`` as the real command does, whose context this is. Raises click's errors."""
        with failures_explained():
            return self.load().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return ctx.command.invoke(ctx)

    def load(self) -> click.Command:
        """Import the command and return a copy that explains its failures. Raises ImportError, AttributeError."""
        module, _, name = self._target.partition(":")
        command: click.Command = copy(getattr(import_module(module), name))
        command.invoke = _explained(command.invoke)  # type: ignore[method-assign, assignment]  # of this copy
        return command


def _explained(invoke: Callable[[click.Context], Any]) -> Callable[[click.Context], Any]:
    @wraps(invoke)
    def explained(ctx: click.Context) -> Any:
        from runtime import correlation  # not at the top: its imports would slow every Celery process down

        correlation.begin()
        with failures_explained():
            return invoke(ctx)

    return explained


@contextmanager
def resumable(how: str) -> Iterator[None]:
    """Say ``how`` to go on, should Ctrl-C interrupt what is done meanwhile."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.Abort(how) from None


@contextmanager
def failures_explained() -> Iterator[None]:
    """Turn a failure that is expected into one clear line on stderr and the exit code that goes with it."""
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
    """Return what does not answer, or is not set up, and the exit code; None when ``error`` is neither."""
    names, cause = {cls.__name__ for cls in type(error).__mro__}, error.__cause__ or error
    if names & _OTHERS_DOWN:
        return str(error), EXIT_DEPENDENCY_DOWN
    if names & _DATABASE and _OTHER_SHAPE.search(str(cause)):
        return f"Admin's database is not at this version: {cause}. Run 'lockstep migrate admin'.", EXIT_FAILED
    if names & (_DATABASE - {"ProgrammingError"} | _STORE_DOWN):
        what = "broker" if type(error).__module__.startswith("kombu") else "database"
        return f"The {what} does not answer: {cause}", EXIT_DEPENDENCY_DOWN
    return None
