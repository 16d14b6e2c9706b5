"""The bare path: insert, confirmed publish, consume in another process, upsert, read.

``python -m tools.bench.bare.path`` is the consumer; its broker and store come as arguments.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import pymongo

from contract.messages import ProductChanged
from tools.bench import catalogue
from tools.bench.bare import mongo, sql
from tools.bench.errors import BenchError
from tools.bench.system import System
from tools.stack.product import ROOT

_QUEUE = "bare"
_LONGEST = 30.0  # seconds to wait for one product


class Path:
    """Sends one product at a time and waits until it is in the store."""

    def __init__(self, system: System, sql_connection: Any, channel: Any) -> None:
        self._sql, self._channel = sql_connection, channel
        self._products = system.shop["bare_products"]

    def seconds(self, number: int) -> float:
        """Return the seconds from before the insert of product ``number`` until it was read."""
        message = catalogue.message(number)
        began = time.monotonic()
        sql.insert(self._sql, message)
        body = json.dumps(message.encode())
        self._channel.basic_publish_confirm(amqp.Message(body, delivery_mode=2), routing_key=_QUEUE)
        while self._products.find_one({"_id": number}, {"_id": 1}) is None:
            if time.monotonic() - began > _LONGEST:
                raise BenchError("the bare path lost a product")
        return time.monotonic() - began


@contextmanager
def ready(system: System) -> Iterator[Path]:
    """Yield the path with its consumer running."""
    mongo.collection(system.shop)
    broker, store = system.addresses.broker_url, system.addresses.mongodb_url
    with sql.connection(system.engine) as opened, _channel(broker) as channel:
        consumer = subprocess.Popen([sys.executable, "-m", "tools.bench.bare.path", broker, store], cwd=ROOT)
        try:
            yield Path(system, opened, channel)
        finally:
            consumer.terminate()
            consumer.wait()


@contextmanager
def _channel(url: str) -> Iterator[Any]:
    parts = urlsplit(url)
    address = f"{parts.hostname}:{parts.port or 5672}"
    vhost = unquote(parts.path[1:]) or "/"
    with amqp.Connection(
        address, parts.username or "guest", parts.password or "guest", virtual_host=vhost, confirm_publish=True
    ) as connection:
        channel = connection.channel()
        channel.queue_declare(_QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        yield channel


def consume(broker: str, store: str) -> None:
    """Upsert received products one by one, until the process is stopped."""
    products = pymongo.MongoClient[dict[str, Any]](store, w="majority", journal=True).get_default_database()
    with _channel(broker) as channel:

        def upsert_product(message: Any) -> None:
            mongo.upsert(products["bare_products"], ProductChanged.decode(json.loads(message.body)))
            channel.basic_ack(message.delivery_tag)

        channel.basic_qos(0, 10, False)
        channel.basic_consume(_QUEUE, callback=upsert_product)
        while True:
            channel.connection.drain_events()


if __name__ == "__main__":
    consume(*sys.argv[1:])
