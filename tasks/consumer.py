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

from contract import topology
from contract.envelope import unreadable

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
