"""Announce pending likes on the broker: ``python -m tools.bench.announce``."""

from contract import names
from contract.publisher import Publisher

if __name__ == "__main__":
    publisher = Publisher()
    publisher.publish(names.FORWARD_LIKES, [], names.QUEUE_LIKES)
    publisher.close()
