"""The worker's consumer: what cannot be read becomes a dead letter instead of being acknowledged away.

Celery acknowledges a message whose body it cannot decode ("so that it does not enter a loop"), and so loses
it. Rejecting without requeue does not loop either: the broker moves it to the dead letters.
"""

from typing import Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.transport.base import Message

from tasks import topology

logger = get_logger(__name__)


class Consumer(CeleryConsumer):
    """Celery's consumer, except that it rejects what it cannot decode and declares every queue first."""

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        logger.error("dead letter: the body cannot be decoded: %s", exc)
        message.reject_log_error(logger, self.connection_errors)

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """Declare everything first: a dead letter must find its queue."""
        connection = super().connection_for_read(heartbeat)
        topology.declare(connection)
        return connection
