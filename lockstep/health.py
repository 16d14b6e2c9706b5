"""``lockstep health``: check one process, with an exit code for a supervisor or a container's health check."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runtime.cli.commands import EXIT_DEPENDENCY_DOWN, EXIT_FAILED
from runtime.heartbeat import Heartbeat
from runtime.masking import mask
from runtime.settings import SettingsError

if TYPE_CHECKING:
    from kombu import Connection

_CLOCK_SECONDS = 2
_max_age = click.option(
    "--max-age", default=90.0, show_default=True, help="Greatest age of the last heartbeat, in seconds."
)


@click.group()
def health() -> None:
    """Check whether a process works.

    Exits 0 when it does, 1 when it does not, 4 when the broker does not answer. The web services have /livez (the
    process runs) and /readyz (it can serve) instead.

    \b
    Examples:
      lockstep health relay --heartbeat /run/lockstep/relay
      lockstep health beat --schedule /tmp/celerybeat-schedule
      lockstep health worker
    """


@health.command()
@click.option("--heartbeat", required=True, type=click.Path(path_type=Path), help="The file given to 'lockstep relay'.")
@_max_age
def relay(heartbeat: Path, max_age: float) -> None:
    """Check the age of a relay's heartbeat. The heartbeat continues while a database or the broker is down.

    \b
    Example:
      lockstep health relay --heartbeat /run/lockstep/relay
    """
    _check_age("the relay", Heartbeat(heartbeat).age(), max_age)


@health.command()
@click.option(
    "--schedule", required=True, type=click.Path(path_type=Path), help="The file given to 'celery beat --schedule'."
)
@_max_age
def beat(schedule: Path, max_age: float) -> None:
    """Check the age of beat's schedule. Beat writes it after every entry, also while the broker is down.

    Also compares this host's clock with those of the workers that answer: with more than a minute between them, the
    workers drop the tasks of beat as expired.

    \b
    Example:
      lockstep health beat --schedule /tmp/celerybeat-schedule
    """
    # Python's shelve adds an extension that depends on the platform.
    files = [schedule, *schedule.parent.glob(f"{schedule.name}.*")]
    ages = [age for file in files if (age := Heartbeat(file).age()) is not None]
    _check_age("beat", min(ages, default=None), max_age)
    for node, wrong in _clocks_apart():
        click.echo(f"{node}: {wrong}", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)


@health.command()
@click.option("--node", help="The worker's name; default: celery@ and this host's name.")
@click.option("--queues", metavar="NAME,NAME", help="The value of 'celery worker --queues'; default: every queue.")
@click.option("--timeout", default=5, show_default=True, help="Seconds to wait for the worker's answer.")
def worker(node: str | None, queues: str | None, timeout: int) -> None:
    """Check that a worker answers through the broker.

    Also fails when the worker lacks any of its queues, or when its clock is more than a minute off.

    \b
    Examples:
      lockstep health worker
      lockstep health worker --node celery@worker-2 --timeout 10
      lockstep health worker --node celery@editors --queues client.products
    """
    from kombu.exceptions import OperationalError

    from contract.app import app
    from contract.topology import WORK_QUEUES
    from lockstep.doctor.broker import without_consumer
    from lockstep.doctor.clocks import too_large, worker_offsets

    name = node or f"celery@{socket.gethostname()}"
    try:
        with _broker(timeout) as connection:
            offsets = worker_offsets(connection, timeout, [name], limit=1)
            inspect = app.control.inspect([name], timeout=timeout, connection=connection, limit=1)
            consumed = inspect.active_queues() if offsets else None
    except (OSError, OperationalError) as error:
        click.echo(mask(f"the broker does not answer: {error}"), err=True)
        raise click.exceptions.Exit(EXIT_DEPENDENCY_DOWN) from None
    if name not in offsets:
        click.echo(f"{name} did not answer within {timeout} s", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    if wrong := too_large(offsets[name]):
        click.echo(f"{name} answers, but {wrong}", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    expected = queues.split(",") if queues else [queue.name for queue in WORK_QUEUES]
    if missing := without_consumer(consumed or {}, expected):
        click.echo(f"{name} answers, but does not consume {', '.join(missing)}: restart it", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    click.echo(f"{name} answers")


def _clocks_apart() -> Iterator[tuple[str, str]]:
    """Yield the workers whose clocks differ too much. A worker that does not answer is no failure of beat."""
    from amqp.exceptions import AMQPError
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    from lockstep.doctor.clocks import too_large, worker_offsets

    try:
        with _broker(_CLOCK_SECONDS) as connection:
            offsets = worker_offsets(connection, _CLOCK_SECONDS)
    except (SettingsError, OSError, AMQPError, OperationalError, RedisError):
        return
    for node, seconds in offsets.items():
        if wrong := too_large(seconds):
            yield node, wrong


@contextmanager
def _broker(timeout: int) -> Iterator["Connection"]:
    from contract.app import app

    # A broker in a memory alarm confirms no publish: waiting for the confirm would never end.
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "confirm_publish": False}
    with app.connection_for_write(connect_timeout=timeout) as connection:
        connection.ensure_connection(max_retries=1, timeout=timeout)
        yield connection


def _check_age(process: str, age: float | None, max_age: float) -> None:
    if age is None or age > max_age:
        last = "has no heartbeat" if age is None else f"has had no heartbeat for {age:.0f} s"
        click.echo(f"{process} {last}", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    click.echo(f"the last heartbeat of {process} was {age:.0f} s ago")
