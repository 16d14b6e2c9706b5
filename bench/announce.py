"""Says on the broker that likes wait: ``python -m bench.announce``."""

from tasks import names
from tasks.publisher import Publisher

if __name__ == "__main__":
    publisher = Publisher()
    publisher.publish(names.FORWARD_LIKES, [], names.QUEUE_LIKES)
    publisher.close()
