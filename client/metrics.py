"""The Client's ``/metrics``: likes, images and dead letters, read at each scrape; and its connection pool."""

from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pymongo import monitoring
from pymongo.errors import PyMongoError

from client.dead_letters.documents import STATES, DeadLetter
from client.images import wanted
from client.likes.status import LikesStatus, status
from client.store import MAX_POOL
from runtime.metrics import POOL_IN_USE, POOL_MAX, labelled

BREAKER = ("closed", "open", "probing")
log = structlog.get_logger(__name__)


class ClientState(Collector):
    """The state in the store. While the database is down only ``store_up`` is reported."""

    def collect(self) -> Iterator[Metric]:
        try:
            likes, dead_letters = status(), {state: _dead_letters(state) for state in STATES}
            images = wanted.waiting()
        except PyMongoError as error:
            log.warning("the database does not answer", error=str(error))
            yield labelled("store_up", "1 while the store answers.", "store", {"client": 0})
            return
        yield labelled("store_up", "1 while the store answers.", "store", {"client": 1})
        yield from _likes(likes)
        yield GaugeMetricFamily("images_wanted", "Images still to be copied from Admin.", images)
        yield labelled("dead_letters", "Dead letters by state; open ones wait for a decision.", "state", dead_letters)


def _dead_letters(state: str) -> int:
    return int(DeadLetter._get_collection().count_documents({"state": state}))


def _likes(found: LikesStatus) -> Iterator[Metric]:
    yield GaugeMetricFamily("likes_pending", "Likes that are not confirmed by Admin.", found.pending)
    oldest = found.oldest_pending_seconds or 0.0
    yield GaugeMetricFamily("likes_oldest_pending_age_seconds", "Age of the oldest pending like; 0: none.", oldest)
    yield GaugeMetricFamily("likes_uncounted", "Likes that the shop's counts do not include yet.", found.uncounted)
    yield GaugeMetricFamily("likes_parked", "Likes that Admin refused.", sum(found.parked.values()))
    states = {state: int(state == found.breaker) for state in BREAKER}
    yield labelled("breaker_state", "The circuit breaker for calls to Admin: 1 for the current state.", "state", states)


class PoolListener(monitoring.ConnectionPoolListener):
    """Counts this process's MongoDB connections in use."""

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:
        POOL_IN_USE.labels("client").inc()

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:
        POOL_IN_USE.labels("client").dec()

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        POOL_MAX.labels("client").set(MAX_POOL)

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None: ...

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None: ...

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None: ...

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None: ...

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None: ...

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None: ...

    def connection_check_out_started(self, event: monitoring.ConnectionCheckOutStartedEvent) -> None: ...

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None: ...
