"""The worker's consumer: an unreadable message becomes a dead letter.

Celery acknowledges a message whose body it cannot decode ("so that it does not enter a loop"), and so loses it; a
body of another shape ends Celery's consumer. A reject without requeue does not loop either: the broker moves the
message to the dead letters.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu import Connection
from kombu.transport.base import Message

from contract import topology
from contract.envelope import unreadable

logger = get_logger(__name__)

MAX_INTERVAL = 3  # seconds between two attempts to reach the broker


class Consumer(CeleryConsumer):
    """Celery's consumer, extended: it rejects unreadable messages and declares every queue first."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Message], None]:
        handle = super().create_task_handler(*args, **kwargs)

        def on_message(message: Message) -> None:
            if reason := unreadable(message):
                self._reject(message, reason)
            else:
                handle(message)

        return on_message

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Reject a message whose body cannot be decompressed; kombu calls this before any handler."""
        self._reject(message, unreadable(message) or str(exc))

    def _reject(self, message: Message, reason: str) -> None:
        logger.error("dead letter: %s", reason)
        message.reject_log_error(logger, self.connection_errors)  # type: ignore[attr-defined]

    def ensure_connected(self, conn: Connection) -> Any:
        """Reconnect within MAX_INTERVAL after the broker is back; kombu's own interval grows to 30 seconds."""
        reconnect = partial(conn.ensure_connection, interval_step=1, interval_max=MAX_INTERVAL)
        conn.ensure_connection = reconnect  # type: ignore[method-assign]
        return super().ensure_connected(conn)

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """Declare all queues first, so that a dead letter has its queue."""
        connection = super().connection_for_read(heartbeat)
        topology.declare(connection)
        return connection
