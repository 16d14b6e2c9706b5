"""Send each product as one Celery task with confirm: ``python -m tools.bench.one_by_one FIRST LAST``."""

import sys

from contract import names
from contract.publisher import Publisher
from tools.bench import catalogue


def main(first: int, last: int) -> None:
    """Publish products ``first`` to ``last`` on the bulk lane."""
    publisher = Publisher()
    for message in catalogue.messages(first, last, "O"):
        publisher.publish(names.SYNC_PRODUCT, [message.encode()], names.QUEUE_PRODUCTS_BULK)
    publisher.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
