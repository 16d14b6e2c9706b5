"""Metrics of the replication, read from the database at each scrape, and of the connection pool."""

from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, event
from sqlalchemy.pool import QueuePool

from admin.db.engine import OUTAGES
from admin.monitoring import status as replication
from admin.monitoring.status import Status
from runtime.metrics import POOL_IN_USE, POOL_MAX, labelled

STATES = (
    replication.RESTORED,
    replication.UNKNOWN,
    replication.DRIFTED,
    replication.STUCK_ROWS,
    replication.PENDING,
    replication.IN_SYNC,
)
log = structlog.get_logger(__name__)


class ReplicationState(Collector):
    """Metrics of the replication; only ``store_up`` while the database is down. Needs an application context."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = replication.status()
        except OUTAGES as error:
            log.warning("the state of the replication is unknown", error=str(error.__cause__ or error))
            yield labelled("store_up", "1 while the store answers.", "store", {"admin": 0})
            return
        yield labelled("store_up", "1 while the store answers.", "store", {"admin": 1})
        yield from _sync(found)
        yield GaugeMetricFamily("drift", "Products that differ without a pending change.", found.drift.confirmed)
        known = {queue: depth for queue, depth in found.queues.items() if depth is not None}
        yield labelled("queue_messages", "Messages in each queue; missing while the broker is down.", "queue", known)


def _sync(found: Status) -> Iterator[Metric]:
    states = {state: int(state == found.state) for state in STATES}
    lag = {"0.5": found.lag.p50, "0.99": found.lag.p99}
    seen = {quantile: seconds for quantile, seconds in lag.items() if seconds is not None}
    yield labelled("sync_state", "1 for the state that applies.", "state", states)
    yield GaugeMetricFamily("sync_pending", "Products not verified to be at the Client.", found.pending)
    yield GaugeMetricFamily("sync_in_flight", "Pending products that were sent.", found.in_flight)
    yield GaugeMetricFamily(
        "sync_stuck", "Pending products that were refused or lost repeatedly; retried every five minutes.", found.stuck
    )
    oldest = found.oldest.age if found.oldest else 0.0
    yield GaugeMetricFamily(
        "sync_oldest_age_seconds", "Age of the oldest change that the Client lacks; 0: none.", oldest
    )
    yield labelled("sync_lag_seconds", "From commit to visible, of the last hour's changes.", "quantile", seen)


def watch_pool(engine: Engine) -> None:
    """Measure this process's connections in use, from now on."""
    in_use = POOL_IN_USE.labels("admin")
    event.listen(engine, "checkout", lambda *_: in_use.inc())
    event.listen(engine, "checkin", lambda *_: in_use.dec())
    if isinstance(engine.pool, QueuePool):
        POOL_MAX.labels("admin").set(engine.pool.size() + engine.pool._max_overflow)
