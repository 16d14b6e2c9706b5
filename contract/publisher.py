"""Confirmed publishing for producers, with every wait bounded.

Celery's own pool waits without limit for a broker that accepts connections and does not answer.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from kombu import Connection, Producer
from kombu.transport import virtual

from contract import topology
from contract.app import app
from runtime.masking import mask

R = TypeVar("R")

CONFIRM_SECONDS = 5.0


class PublishError(Exception):
    """The broker did not confirm the message in time, or rejected it. The message may have arrived."""


class Publisher:
    """One connection to the broker, made on first use and dropped after any error.

    Thread-safe. Publishing blocks for some seconds at most, in any state of the broker.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    def publish(self, task: str, args: list[Any], queue: str, argsrepr: str | None = None, **options: Any) -> str:
        """Send ``task`` to ``queue``, wait for the broker's confirm and return the task's id.

        ``argsrepr`` is what Flower shows for the arguments. Raises PublishError.
        """

        def send(producer: Producer) -> str:
            sent = app.send_task(
                task,
                args=args,
                queue=queue,
                producer=producer,
                retry=False,
                mandatory=True,  # else the broker confirms and drops a message that matches no queue
                confirm_timeout=CONFIRM_SECONDS,
                argsrepr=argsrepr,
                **options,
            )
            return str(sent.id)

        return self._with_producer(send, f"accept {task}")

    def depth(self, queue: str) -> int:
        """Return the number of messages in ``queue``. Raises PublishError when the broker does not answer."""
        return self._with_producer(lambda producer: _depth(producer.channel, queue), f"report the depth of {queue}")

    def _with_producer(self, use: Callable[[Producer], R], what: str) -> R:
        with self._lock:
            was_open = self._producer is not None
            try:
                return self._use(use, what)
            except PublishError:
                if not was_open:
                    raise
                # The broker may have been restarted since the connection was opened.
                return self._use(use, what)

    def _use(self, use: Callable[[Producer], R], what: str) -> R:
        try:
            return use(self._open())
        except Exception as error:
            # A producer that raised under confirms must not be used again (celery#9259).
            self._drop()
            raise PublishError(mask(f"the broker did not {what}: {error!r}")) from error

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _open(self) -> Producer:
        if self._producer is None:
            self._connection = app.connection_for_write()
            self._connection.connect()
            topology.declare(self._connection)
            self._producer = app.amqp.Producer(self._connection, auto_declare=False)
        return self._producer

    def _drop(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.collect()  # closes the socket without a handshake that might hang


def _depth(channel: Any, queue: str) -> int:
    if isinstance(channel, virtual.Channel):  # Valkey, where an empty queue does not exist for a declare
        return int(channel._size(queue))
    return int(channel.queue_declare(queue, passive=True).message_count)
