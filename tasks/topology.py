"""Declares every exchange and queue, so that whoever comes first (publisher or worker) finds all of them."""

from kombu import Connection

import celeryconfig


def declare(connection: Connection) -> None:
    """Declare the work queues and the dead-letter queue on ``connection``; harmless when they exist."""
    with connection.channel() as channel:
        for queue in (celeryconfig.DEAD_LETTERS, *celeryconfig.task_queues):
            queue(channel).declare()
