"""Consume published products and upsert each: ``python -m tools.bench.bare.consumer BROKER_URL MONGODB_URL``."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tools.bench.bare import broker, store


@contextmanager
def running(broker_url: str, store_url: str) -> Iterator[None]:
    """Run the consumer in a process of its own."""
    consumer = subprocess.Popen([sys.executable, "-m", "tools.bench.bare.consumer", broker_url, store_url])
    try:
        yield
    finally:
        consumer.terminate()
        consumer.wait()


def main(broker_url: str, store_url: str) -> None:
    """Consume until the process is stopped."""
    shop = store.database(store_url)
    broker.consume(broker.open_channel(broker_url), lambda product: store.upsert_product(shop, product))


if __name__ == "__main__":
    main(*sys.argv[1:])
