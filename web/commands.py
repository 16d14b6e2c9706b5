"""What every command line of ours shares: commands imported when they are called, failures in one clear line."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from web.settings import SettingsError

EXIT_FAILED, EXIT_USAGE, EXIT_DRIFT, EXIT_DEPENDENCY_DOWN, EXIT_INTERRUPTED = 1, 2, 3, 4, 130

# By name: a command that cannot meet one of them does not import its library either.
_DATABASE_DOWN = {"OperationalError", "ConnectionFailure"}  # SQLAlchemy's, PyMongo's
_OTHERS_DOWN = {"AdminUnavailableError", "ClientUnavailableError", "BrokerUnavailableError", "PublishError"}


class LazyCommand(click.Command):
    """The command at ``target`` (``module:name``), a group or not, imported only when it is asked for.

    An Admin host needs no settings of the Client's, nor the reverse, and a Celery worker loads neither's commands.
    """

    def __init__(self, name: str, target: str) -> None:
        super().__init__(name)
        self._target = target

    def get_short_help_str(self, limit: int = 45) -> str:
        return self._load().get_short_help_str(limit)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """Parse ``args`` as the real command does. Raises click's errors."""
        context = click.Context(self, parent, info_name, **extra)
        with failures_explained():
            real = self._load()
            context.obj = real, real.make_context(info_name, args, parent, **extra)
        return context

    def invoke(self, ctx: click.Context) -> Any:
        real, inner = ctx.obj
        from web import correlation  # not at the top: its imports would slow every Celery process down

        correlation.begin()
        with failures_explained(), inner:
            return real.invoke(inner)

    def _load(self) -> click.Command:
        module, _, name = self._target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@contextmanager
def failures_explained() -> Iterator[None]:
    """Turn a failure that is expected into one clear line on stderr and the exit code that goes with it."""
    try:
        yield
    except SettingsError as error:
        click.echo(f"Settings:\n{error}", err=True)
        raise click.exceptions.Exit(EXIT_USAGE) from None
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
    except Exception as error:
        if (outage := _outage(error)) is None:
            raise
        click.echo(outage, err=True)
        raise click.exceptions.Exit(EXIT_DEPENDENCY_DOWN) from None


def _outage(error: Exception) -> str | None:
    """Return what does not answer; None when ``error`` is no outage of a dependency."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & _OTHERS_DOWN:
        return str(error)
    return f"The database does not answer: {error.__cause__ or error}" if names & _DATABASE_DOWN else None
