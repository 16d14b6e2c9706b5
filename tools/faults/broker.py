"""Manipulate the broker without the code of the product."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import amqp

from contract import names
from tools.stack.ports import HOST
from tools.stack.servers.rabbitmq import USER, RabbitMQ

QUEUES = (names.QUEUE_PRODUCTS, names.QUEUE_PRODUCTS_BULK, names.QUEUE_LIKES)


@dataclass(frozen=True)
class Broker:
    """The virtual host ``vhost`` of ``server``."""

    server: RabbitMQ
    vhost: str

    def depth(self, queue: str) -> int:
        """Return the number of messages in ``queue``."""
        with self._channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)

    def purge(self) -> int:
        """Purge the queues; return the number of messages."""
        with self._channel() as channel:
            return sum(int(channel.queue_purge(queue)) for queue in QUEUES)

    def delete_queues(self) -> None:
        """Delete the queues that the worker consumes, with their messages."""
        with self._channel() as channel:
            for queue in QUEUES:
                channel.queue_delete(queue)

    def copies(self, queue: str) -> list[amqp.Message]:
        """Return copies of the messages in ``queue``. It must have no consumer."""
        found = []
        with self._channel() as channel:
            while message := channel.basic_get(queue):
                found.append(message)
        return found  # closing the channel returned them to the queue

    def publish_again(self, message: amqp.Message, times: int = 1) -> None:
        """Publish a copy to the original's queue."""
        for _ in range(times):
            self.publish(message.body, message.properties, message.delivery_info["routing_key"])

    def publish(self, body: Any, properties: dict[str, Any], queue: str = names.QUEUE_PRODUCTS) -> None:
        """Publish any body."""
        kept = {key: value for key, value in properties.items() if key not in {"cluster_id"}}
        with self._channel() as channel:
            channel.basic_publish(amqp.Message(body, **kept), names.EXCHANGE, queue)

    def publish_task(self, task: str, arguments: list[Any], queue: str = names.QUEUE_PRODUCTS) -> None:
        """Publish a well-formed task with any ``arguments``."""
        self.publish(json.dumps([arguments, {}, {}]).encode(), task_properties(task), queue)

    def alarm(self) -> None:
        """Raise the memory alarm: publishers are blocked."""
        self.server.ctl("set_vm_memory_high_watermark", "absolute", "1")

    def calm(self) -> None:
        """End the memory alarm."""
        self.server.ctl("set_vm_memory_high_watermark", "0.4")

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        address = f"{HOST}:{self.server.port}"
        connection = amqp.Connection(
            address, USER, self.server.password, virtual_host=self.vhost, connect_timeout=5, read_timeout=30
        )
        with closing(connection):
            connection.connect()
            yield connection.channel()


def task_properties(task: str) -> dict[str, Any]:
    """Return the properties that make a message a task's."""
    return {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "application_headers": {"id": uuid.uuid4().hex, "task": task, "lang": "py"},
    }
