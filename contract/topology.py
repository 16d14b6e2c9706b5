"""Every exchange and queue, declared by whoever comes first (publisher or worker), so that all are there."""

from kombu import Connection, Exchange, Queue

from contract import names

# Topic, not direct: Celery's delayed delivery skips direct exchanges (celery#9960).
_EXCHANGE = Exchange(names.EXCHANGE, type="topic", durable=True)
_DEAD_EXCHANGE = Exchange(names.DEAD_LETTER_EXCHANGE, type="topic", durable=True)
MAX_QUEUE_LENGTH = 20_000  # messages; the relay's window stays far below, this is the broker's own guard
_QUORUM = {
    "x-queue-type": "quorum",  # replicated, and the only type with a delivery limit
    "x-delivery-limit": 5,  # a message that kills its worker ends somewhere, not in a loop
    "x-max-length": MAX_QUEUE_LENGTH,
    "x-overflow": "reject-publish",  # a full queue tells the publisher; dropping its head would lose
}
_DEAD_LETTERED = {
    **_QUORUM,
    "x-dead-letter-exchange": names.DEAD_LETTER_EXCHANGE,  # a delivery limit without it drops the message
    "x-dead-letter-strategy": "at-least-once",  # the default, at-most-once, may lose on the way
}
PRODUCT_QUEUES = [
    Queue(name, _EXCHANGE, routing_key=name, durable=True, queue_arguments=_DEAD_LETTERED)
    for name in names.LANE_QUEUES.values()
]
# What goes through these carries nothing (the work is in the store, beat says the same again) and expires; with dead
# letters, each announcement that nobody took in time would lie there as one.
ANNOUNCEMENT_QUEUES = [
    Queue(name, _EXCHANGE, routing_key=name, durable=True, queue_arguments=_QUORUM)
    for name in (names.QUEUE_LIKES, names.QUEUE_MAINTENANCE)
]
WORK_QUEUES = [*PRODUCT_QUEUES, *ANNOUNCEMENT_QUEUES]
# Dead letters are no work: one task takes them from here into the store (client/dead_letters).
DEAD_LETTERS = Queue(
    names.QUEUE_DEAD, _DEAD_EXCHANGE, routing_key="#", durable=True, queue_arguments={"x-queue-type": "quorum"}
)


def declare(connection: Connection) -> None:
    """Declare all of them on ``connection``; harmless when they exist."""
    with connection.channel() as channel:
        for queue in (DEAD_LETTERS, *WORK_QUEUES):
            queue(channel).declare()
