"""Sends each product as one Celery task, confirmed: ``python -m bench.one_by_one FIRST LAST``."""

import sys

from bench import catalogue
from tasks import names
from tasks.publisher import Publisher


def main(first: int, last: int) -> None:
    """Publish products ``first`` to ``last`` on the bulk lane."""
    publisher = Publisher()
    for message in catalogue.messages(first, last, "O"):
        publisher.publish(names.SYNC_PRODUCT, [message.encode()], names.QUEUE_PRODUCTS_BULK)
    publisher.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
