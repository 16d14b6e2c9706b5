"""The worker's consumer: what cannot be read becomes a dead letter instead of being acknowledged away.

Celery acknowledges a message whose body it cannot decode ("so that it does not enter a loop"), and so loses
it; a body of another shape ends its consumer. Rejecting without requeue does not loop either: the broker moves
the message to the dead letters.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu import Connection
from kombu.transport.base import Message

from tasks import topology

logger = get_logger(__name__)

MAX_INTERVAL = 3  # seconds between two attempts to reach the broker


class Consumer(CeleryConsumer):
    """Celery's consumer, except that it rejects what it cannot read and declares every queue first."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Message], None]:
        handle = super().create_task_handler(*args, **kwargs)

        def on_message(message: Message) -> None:
            if reason := unreadable(message):
                self._reject(message, reason)
            else:
                handle(message)

        return on_message

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Called by kombu, before anyone else sees it, for a body that cannot be decompressed."""
        self._reject(message, unreadable(message) or str(exc))

    def _reject(self, message: Message, reason: str) -> None:
        logger.error("dead letter: %s", reason)
        message.reject_log_error(logger, self.connection_errors)  # type: ignore[attr-defined]

    def ensure_connected(self, conn: Connection) -> Any:
        """Come back soon after the broker does; kombu's own steps grow to half a minute."""
        patient = partial(conn.ensure_connection, interval_step=1, interval_max=MAX_INTERVAL)
        conn.ensure_connection = patient  # type: ignore[method-assign]
        return super().ensure_connected(conn)

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """Declare everything first: a dead letter must find its queue."""
        connection = super().connection_for_read(heartbeat)
        topology.declare(connection)
        return connection


def unreadable(message: Message) -> str | None:
    """Return why ``message`` is no task message (Celery's protocol 2), None when it is one.

    Made from the message alone, so whoever looks at a dead letter later finds the same reason.
    """
    if "task" not in (message.headers or {}):
        return "the headers name no task"
    if message.errors:
        return f"the body cannot be decompressed: {message.errors[0][1]}"
    try:
        body = message.payload
    except Exception as error:
        return f"the body cannot be decoded: {error}"
    match body:
        case [list(), dict(), dict()]:
            return None
        case _:
            return "the body is not [args, kwargs, options]"
