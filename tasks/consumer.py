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
HEARTBEAT_SECONDS = 10  # between two events that tell Flower that this worker is online; Celery's own default is 2
EVENTS_SECONDS = 0.5  # for which events of tasks are collected into one message to Flower


class Consumer(CeleryConsumer):
    """Celery's consumer, extended: it rejects unreadable messages, declares every queue first, and spares Flower."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._flush_due = False
        given = kwargs.get("worker_options") or {}
        interval = given.get("heartbeat_interval") or HEARTBEAT_SECONDS
        super().__init__(*args, **{**kwargs, "worker_options": {**given, "heartbeat_interval": interval}})

    def on_send_event_buffered(self) -> Any:
        """Send the buffered events in a moment, together with those that follow.

        Celery's own sends at once, so that a single task costs three messages: received, started, succeeded. It still
        sends at once where its buffer is full.
        """
        if self.hub and not self._flush_due:  # type: ignore[attr-defined]  # the stubs lack the event loop
            self._flush_due = True
            self.hub.call_later(EVENTS_SECONDS, self._send_events)  # type: ignore[attr-defined]

    def _send_events(self) -> None:
        self._flush_due = False
        if dispatcher := self.event_dispatcher:  # type: ignore[attr-defined]
            dispatcher.flush()

    def stop(self) -> None:
        """Stop, after sending the buffered events."""
        self._send_events()
        super().stop()

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
        self._flush_due = False  # a lost connection also clears the timers
        connection = super().connection_for_read(heartbeat)
        topology.declare(connection)
        return connection
