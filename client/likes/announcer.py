"""Enqueues the forwarding of new likes and counts them, in background threads of the web process.

This only saves time: beat enqueues the same every few seconds, for likes that were dropped or lost here.
"""

import time

from flask import Flask, current_app
from pymongo.errors import PyMongoError

from client.likes import count
from contract import names
from contract.background import Background
from contract.publisher import Publisher
from runtime.clocks import expiry

EXPIRES = 60  # seconds; beat enqueues the task again
FIRST_PAUSE, MAX_PAUSE = 0.05, 0.5  # seconds between two tasks; longer during a burst of likes
COUNT_TIMEOUT = 5.0  # seconds to wait for the lease
# Seconds between two counts, each of which costs as much as several likes. Shown counts are at most a second old.
FIRST_COUNT_PAUSE, MAX_COUNT_PAUSE = 0.1, 0.4


class _Pause:
    """A pause between two rounds of work that doubles, from ``first`` to ``longest`` seconds, during a burst."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest, self._next = first, longest, first

    def wait(self, burst: bool) -> None:
        time.sleep(self._next)
        self._next = min(2 * self._next, self._longest) if burst else self._first


class LikesAnnouncer:
    """Enqueues forwarding, and counts likes in this process, so counts are correct with broker and worker down."""

    def __init__(self) -> None:
        self._publisher = Publisher()
        self._pause = _Pause(FIRST_PAUSE, MAX_PAUSE)
        self._count_pause = _Pause(FIRST_COUNT_PAUSE, MAX_COUNT_PAUSE)
        self._announcing = Background("likes announcer", self._announce, batch=10_000)
        self._counting = Background("likes counter", self._count, batch=10_000)

    def offer(self, product_id: int) -> None:
        """Announce that a like of ``product_id`` changed. Returns at once."""
        self._announcing.offer([product_id])
        self._counting.offer([product_id])

    def _announce(self, products: list[int]) -> None:
        """Enqueue one task for ``products``: a burst of thousands of likes makes about ten tasks."""
        self._publisher.publish(names.FORWARD_LIKES, [], names.QUEUE_LIKES, expires=expiry(EXPIRES))
        self._pause.wait(burst=len(products) > 1)

    def _count(self, products: list[int]) -> None:
        try:
            count.count(timeout=COUNT_TIMEOUT)
        except PyMongoError as error:
            count.log.warning("likes not counted yet", error=str(error))
        self._count_pause.wait(burst=len(products) > 1)


def init_likes_announcer(app: Flask) -> None:
    app.extensions["likes_announcer"] = LikesAnnouncer()


def announcer() -> LikesAnnouncer:
    found: LikesAnnouncer = current_app.extensions["likes_announcer"]
    return found
