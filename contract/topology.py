"""Every exchange and queue. Publishers and workers declare all of them on connect, in any order."""

from kombu import Connection, Exchange, Queue

from contract import names

# Topic, not direct: Celery's delayed delivery skips direct exchanges (celery#9960).
_EXCHANGE = Exchange(names.EXCHANGE, type="topic", durable=True)
_DEAD_EXCHANGE = Exchange(names.DEAD_LETTER_EXCHANGE, type="topic", durable=True)
MAX_QUEUE_LENGTH = 20_000  # messages; the relay's limits are far lower, this protects the broker
_QUORUM = {
    "x-queue-type": "quorum",  # replicated; the only queue type with a delivery limit
    "x-delivery-limit": 5,  # a message that kills its worker becomes a dead letter instead of looping
    "x-max-length": MAX_QUEUE_LENGTH,
    "x-overflow": "reject-publish",  # a full queue rejects new messages; the default drops the oldest
}
_DEAD_LETTERED = {
    **_QUORUM,
    "x-dead-letter-exchange": names.DEAD_LETTER_EXCHANGE,  # without it, the delivery limit drops the message
    "x-dead-letter-strategy": "at-least-once",  # the default, at-most-once, may lose messages
}
PRODUCT_QUEUES = [
    Queue(name, _EXCHANGE, routing_key=name, durable=True, queue_arguments=_DEAD_LETTERED)
    for name in names.LANE_QUEUES.values()
]
# Messages in these carry no data: the work is in the store, beat announces it again, and they expire. They are not dead
# lettered, as each expired one would become a dead letter.
ANNOUNCEMENT_QUEUES = [
    Queue(name, _EXCHANGE, routing_key=name, durable=True, queue_arguments=_QUORUM)
    for name in (names.QUEUE_LIKES, names.QUEUE_MAINTENANCE)
]
WORK_QUEUES = [*PRODUCT_QUEUES, *ANNOUNCEMENT_QUEUES]
# One task moves the dead letters from this queue into the store (client/dead_letters).
DEAD_LETTERS = Queue(
    names.QUEUE_DEAD, _DEAD_EXCHANGE, routing_key="#", durable=True, queue_arguments={"x-queue-type": "quorum"}
)


def declare(connection: Connection) -> None:
    """Declare all exchanges and queues on ``connection``. Idempotent."""
    with connection.channel() as channel:
        for queue in (DEAD_LETTERS, *WORK_QUEUES):
            queue(channel).declare()
