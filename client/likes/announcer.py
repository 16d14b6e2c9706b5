"""After L1's write, in threads of the web process: have the like forwarded (L2), and count it (L3).

Only a head start. What is dropped here, or lost with the process, the sweep picks up (L7).
"""

import time

from flask import Flask, current_app
from pymongo.errors import PyMongoError

from client.likes import count
from contract import names
from contract.background import Background
from contract.publisher import Publisher
from runtime.clocks import expiry

EXPIRES = 60  # seconds; the sweep says the same again
FIRST_REST, LONGEST_REST = 0.05, 0.5  # seconds between two announcements; longer while likes keep coming
COUNT_PATIENCE = 5.0  # seconds to wait for whoever counts or settles at this moment
# The same between two counts, each of which costs as much as some likes. Shoppers see a count of the last second.
FIRST_COUNT_REST, LONGEST_COUNT_REST = 0.1, 0.4


class _Rest:
    """A rest after each round of work that doubles, from ``first`` to ``longest`` seconds, as long as a burst lasts."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest, self._next = first, longest, first

    def take(self, burst: bool) -> None:
        time.sleep(self._next)
        self._next = min(2 * self._next, self._longest) if burst else self._first


class LikesAnnouncer:
    """Tells the broker that likes wait, and counts them here: counts are right with broker and worker down."""

    def __init__(self) -> None:
        self._publisher = Publisher()
        self._rest = _Rest(FIRST_REST, LONGEST_REST)
        self._count_rest = _Rest(FIRST_COUNT_REST, LONGEST_COUNT_REST)
        self._announcing = Background("likes announcer", self._announce, batch=10_000)
        self._counting = Background("likes counter", self._count, batch=10_000)

    def offer(self, product_id: int) -> None:
        """Note that a like of ``product_id`` changed. Returns at once."""
        self._announcing.offer([product_id])
        self._counting.offer([product_id])

    def _announce(self, products: list[int]) -> None:
        """A burst of thousands of likes makes some ten tasks; the first like of all is announced at once."""
        self._publisher.publish(names.FORWARD_LIKES, [], names.QUEUE_LIKES, expires=expiry(EXPIRES))
        self._rest.take(burst=len(products) > 1)

    def _count(self, products: list[int]) -> None:
        try:
            count.count(patience=COUNT_PATIENCE)
        except PyMongoError as error:
            count.log.warning("likes are counted later", error=str(error))
        self._count_rest.take(burst=len(products) > 1)


def init_likes_announcer(app: Flask) -> None:
    app.extensions["likes_announcer"] = LikesAnnouncer()


def announcer() -> LikesAnnouncer:
    found: LikesAnnouncer = current_app.extensions["likes_announcer"]
    return found
