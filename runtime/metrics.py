"""Metrics for Prometheus: durations and outcomes are counted here, state is computed by collectors at each scrape.

The processes of one service (gunicorn's, a worker's children) count in shared files in PROMETHEUS_MULTIPROC_DIR, so
each of them answers for all. State of the store (lag, pending products, dead letters) is read from the store, and is
the same in each answer. See docs/decisions/0013.
"""

import hmac
import os
from collections.abc import Callable, Mapping
from typing import Annotated

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from pydantic import AfterValidator, Field

from runtime import urls
from runtime.settings import HeaderSecret, Settings

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def _check_address(address: str) -> str:
    urls.host_and_port(address)
    return address


class MetricsSettings(Settings):
    """Metrics for Prometheus: both web services, the relay and the worker."""

    metrics_token: HeaderSecret | None = Field(
        None,
        description="The token that a scraper sends to `/metrics` as `Authorization: Bearer …`. At least 32 "
        "characters, in ASCII. Without it, no metrics are served.",
    )
    metrics_address: Annotated[str, AfterValidator(_check_address)] | None = Field(
        None,
        description="The address where this relay or worker serves `/metrics`: `127.0.0.1:9101` or `[::1]:9101`, "
        "another for each process on a host. The web services serve it on their own port.",
    )


def share_between_processes(identify: Callable[[], object]) -> None:
    """Count in files, one set for each value of ``identify()``. Call it before any instrument is created."""
    values.ValueClass = values.MultiProcessValue(identify)  # type: ignore[no-untyped-call]


if DIRECTORY in os.environ:
    share_between_processes(os.getpid)

INSTRUMENTS = CollectorRegistry()
POOL_IN_USE = Gauge(
    "pool_connections_in_use",
    "Database connections in use by requests and steps.",
    ["store"],
    registry=INSTRUMENTS,
    multiprocess_mode="livesum",
)
POOL_MAX = Gauge(
    "pool_connections_max",
    "Highest number of database connections at once; further requests wait.",
    ["store"],
    registry=INSTRUMENTS,
    multiprocess_mode="livesum",
)
ATTEMPTS = Counter(
    "sync_attempts_total",
    "Attempts to sync a product by outcome: verified, lost (sent again), differing (repaired), unpublished.",
    ["outcome"],
    registry=INSTRUMENTS,
)
for _outcome in ("verified", "lost", "differing", "unpublished"):
    ATTEMPTS.labels(_outcome)


def is_bearer(header: str, token: str) -> bool:
    """Return whether the Authorization header has ``token``, compared in constant time."""
    return hmac.compare_digest(header.encode(), f"Bearer {token}".encode())


def exposition(*collectors: Collector) -> bytes:
    """Return the metrics of this process, or of all that share its files, and those of ``collectors``."""
    registry = CollectorRegistry()
    if DIRECTORY in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(INSTRUMENTS)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


def labelled(name: str, text: str, label: str, found: Mapping[str, float]) -> Metric:
    """Return a gauge with one sample for each value of ``label``."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in found.items():
        family.add_metric([value], number)
    return family
