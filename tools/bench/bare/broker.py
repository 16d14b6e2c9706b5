"""Publish to and consume from RabbitMQ by py-amqp alone."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp

_QUEUE = "bare"


def open_channel(url: str) -> Any:
    """Return a channel that confirms what it publishes, with the queue declared."""
    parts = urlsplit(url)
    connection = amqp.Connection(
        f"{parts.hostname}:{parts.port or 5672}", unquote(parts.username or "guest"),
        unquote(parts.password or "guest"), virtual_host=unquote(parts.path[1:]) or "/", confirm_publish=True,
    )  # fmt: skip
    connection.connect()
    channel = connection.channel()
    channel.queue_declare(_QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
    return channel


def publish(channel: Any, product: dict[str, Any]) -> None:
    """Publish one product and wait until the broker confirms it."""
    message = amqp.Message(json.dumps(product), delivery_mode=2)
    channel.basic_publish_confirm(message, routing_key=_QUEUE)


def consume(channel: Any, store: Callable[[dict[str, Any]], None]) -> None:
    """Pass each product to ``store``, then acknowledge it, until the process is stopped."""

    def on_message(message: Any) -> None:
        store(json.loads(message.body))
        channel.basic_ack(message.delivery_tag)

    channel.basic_qos(0, 10, False)
    channel.basic_consume(_QUEUE, callback=on_message)
    while True:
        channel.connection.drain_events()
