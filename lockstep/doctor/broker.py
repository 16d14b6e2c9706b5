"""Checks of the broker: that it answers, its version, its queues, and the workers that consume them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound, PreconditionFailed
from kombu import Connection, Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from contract import topology
from contract.app import app
from lockstep.doctor.clocks import worker_offsets
from lockstep.doctor.findings import Finding, down, failed, offset, ok

OLDEST = (3, 10)  # at-least-once dead letters of quorum queues
_SECONDS = 5


def broker() -> Iterator[Finding]:
    """Check the broker and, through it, the workers."""
    try:
        limits = {"read_timeout": _SECONDS, "write_timeout": _SECONDS}
        with app.connection_for_write(connect_timeout=_SECONDS, transport_options=limits) as connection:
            connection.ensure_connection(max_retries=1, timeout=_SECONDS)
            yield from _server(connection)
            yield from _workers(connection)
    except (AccessRefused, NotAllowed) as error:
        yield down(
            "broker",
            _reply_text(error),
            "The user, password or virtual host in CELERY_BROKER_URL is wrong; 'rabbitmqctl list_permissions' shows "
            "who may use a virtual host.",
        )
    except (OSError, AMQPError, OperationalError, RedisError) as error:
        yield down(
            "broker",
            f"does not answer: {error}",
            "Start it, or correct host and port in CELERY_BROKER_URL as seen from this host.",
        )


def _server(connection: Connection) -> Iterator[Finding]:
    if connection.transport.driver_type != "amqp":
        yield ok(
            "broker", "Valkey or Redis answers; it stores no dead letters; only the relay sends failed messages again"
        )
        return
    properties: dict[str, Any] = connection.connection.server_properties
    version = str(properties.get("version", "0"))
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        yield failed(
            "broker", f"is RabbitMQ {version}", "Use RabbitMQ 3.10 or newer: older versions lose dead letters."
        )
    else:
        yield ok("broker", f"{properties.get('product', 'RabbitMQ')} {version} answers")
    for queue in (topology.DEAD_LETTERS, *topology.WORK_QUEUES):
        yield _queue(connection, queue)


def _queue(connection: Connection, queue: Queue) -> Finding:
    check = f"queue {queue.name}"
    try:
        with connection.channel() as channel:
            queue(channel).queue_declare(passive=True)
    except NotFound:
        return ok(check, "does not exist yet; the first publisher or worker declares it")
    try:
        with connection.channel() as channel:
            queue(channel).queue_declare()
            queue(channel).exchange.declare(channel=channel)
    except PreconditionFailed as error:
        fix = (
            f"Stop workers and relays. Run 'rabbitmqctl delete_queue {queue.name}', or delete an exchange on the "
            "management pages. Start workers and relays: they declare it again, and its messages are sent again."
        )
        return failed(check, f"was declared with other arguments: {_reply_text(error)}", fix)
    return ok(check, "as declared")


def _workers(connection: Connection) -> Iterator[Finding]:
    offsets = worker_offsets(connection, timeout=1)
    if not offsets:
        yield failed("workers", "no worker answers", "Start 'celery -A tasks worker' with this broker's URL.")
        return
    yield _consumers(connection, sorted(offsets))
    for node, seconds in sorted(offsets.items()):
        yield offset(f"{node}'s clock", seconds, "its host's clock")


def _consumers(connection: Connection, nodes: list[str]) -> Finding:
    consumed = app.control.inspect(timeout=1, connection=connection).active_queues() or {}
    answer = f"{len(nodes)} answer: {', '.join(nodes)}"
    if missing := without_consumer(consumed, (queue.name for queue in topology.WORK_QUEUES)):
        fix = (
            f"Restart the workers, or run 'celery -A tasks control add_consumer {missing[0]}', likewise for the other "
            "queues. If workers run with --queues, start one for each queue."
        )
        return failed("workers", f"{answer}; none consumes {', '.join(missing)}", fix)
    return ok("workers", answer)


def without_consumer(consumed: Mapping[str, Iterable[Mapping[str, Any]]], expected: Iterable[str]) -> list[str]:
    """Return the queues of ``expected`` that no worker consumes.

    ``consumed`` is what 'celery inspect active_queues' returns. It comes from the workers because Valkey does not know
    the consumers of its lists.
    """
    found = {queue["name"] for queues in consumed.values() for queue in queues}
    return [name for name in expected if name not in found]


def _reply_text(error: AMQPError) -> str:
    return str(getattr(error, "reply_text", "") or error)
