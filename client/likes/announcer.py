"""After L1's write, in threads of the web process: have the like forwarded (L2), and count it (L3).

Only a head start. What is dropped here, or lost with the process, the sweep picks up (L7).
"""

import time

from flask import Flask, current_app
from pymongo.errors import PyMongoError

from client.likes import count
from tasks import names
from tasks.background import Background
from tasks.publisher import Publisher

EXPIRES = 60  # seconds; the sweep says the same again
FIRST_REST, LONGEST_REST = 0.05, 0.5  # seconds between two announcements; longer while likes keep coming
COUNT_PATIENCE = 5.0  # seconds to wait for whoever counts or settles at this moment
COUNT_REST = 0.1  # seconds between two counts: shoppers see one of the last second


class LikesAnnouncer:
    """Tells the broker that likes wait, and counts them here: counts are right with broker and worker down."""

    def __init__(self) -> None:
        self._publisher, self._rest = Publisher(), FIRST_REST
        self._announcing = Background("likes announcer", self._announce, batch=10_000)
        self._counting = Background("likes counter", self._count, batch=10_000)

    def offer(self, product_id: int) -> None:
        """Note that a like of ``product_id`` changed. Returns at once."""
        self._announcing.offer([product_id])
        self._counting.offer([product_id])

    def _announce(self, products: list[int]) -> None:
        """A burst of thousands of likes makes some ten tasks; the first like of all is announced at once."""
        self._publisher.publish(names.FORWARD_LIKES, [], names.QUEUE_LIKES, expires=EXPIRES)
        time.sleep(self._rest)
        self._rest = min(2 * self._rest, LONGEST_REST) if len(products) > 1 else FIRST_REST

    def _count(self, _products: list[int]) -> None:
        try:
            count.count(patience=COUNT_PATIENCE)
        except PyMongoError as error:
            count.log.warning("likes are counted later", error=str(error))
        time.sleep(COUNT_REST)


def init_likes_announcer(app: Flask) -> None:
    app.extensions["likes_announcer"] = LikesAnnouncer()


def announcer() -> LikesAnnouncer:
    found: LikesAnnouncer = current_app.extensions["likes_announcer"]
    return found
