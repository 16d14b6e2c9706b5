"""What Prometheus is told: durations and outcomes counted here, state computed by collectors at each scrape.

Several processes of one service (gunicorn's, a worker's children) add to files in PROMETHEUS_MULTIPROC_DIR, so that
any of them answers for all. What is true of the store (lag, pending, dead letters) is read from the store and so is
the same whoever answers. See docs/decisions/0013.
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


def _host_and_port(address: str) -> str:
    urls.host_and_port(address)
    return address


class MetricsSettings(Settings):
    """Metrics for Prometheus: both web services, the relay and the worker."""

    metrics_token: HeaderSecret | None = Field(
        None,
        description="What a scraper sends as `Authorization: Bearer …` to `/metrics`. At least 32 "
        "characters, in ASCII. No metrics are served without it.",
    )
    metrics_address: Annotated[str, AfterValidator(_host_and_port)] | None = Field(
        None,
        description="Where this relay or worker serves `/metrics`: `127.0.0.1:9101` or `[::1]:9101`, "
        "another for each process on a host. The web services serve it on their own port.",
    )


def share_between_processes(identify: Callable[[], object]) -> None:
    """Keep what is counted in files from now on, one set for each ``identify()``; before any instrument is made."""
    values.ValueClass = values.MultiProcessValue(identify)  # type: ignore[no-untyped-call]


if DIRECTORY in os.environ:
    share_between_processes(os.getpid)

INSTRUMENTS = CollectorRegistry()
POOL_IN_USE = Gauge(
    "pool_connections_in_use",
    "Database connections that a request or step holds now.",
    ["store"],
    registry=INSTRUMENTS,
    multiprocess_mode="livesum",
)
POOL_MAX = Gauge(
    "pool_connections_max",
    "Database connections that may be held at once; who comes later waits.",
    ["store"],
    registry=INSTRUMENTS,
    multiprocess_mode="livesum",
)
ATTEMPTS = Counter(
    "sync_attempts_total",
    "Products whose sending came to an end: verified, lost (sent again), differing (repaired), unpublished.",
    ["outcome"],
    registry=INSTRUMENTS,
)
for _outcome in ("verified", "lost", "differing", "unpublished"):
    ATTEMPTS.labels(_outcome)


def is_bearer(header: str, token: str) -> bool:
    """Return whether an Authorization header carries ``token``; takes the same time whatever it carries."""
    return hmac.compare_digest(header.encode(), f"Bearer {token}".encode())


def exposition(*collectors: Collector) -> bytes:
    """Return what this process, or all that share its files, counted, and what ``collectors`` find now."""
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
