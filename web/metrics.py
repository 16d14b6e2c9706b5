"""What Prometheus is told: durations and outcomes counted here, state computed by collectors at each scrape.

Several processes of one service (gunicorn's, a worker's children) add to files in PROMETHEUS_MULTIPROC_DIR, so that
any of them answers for all. What is true of the store (lag, pending, dead letters) is read from the store and so is
the same whoever answers. See docs/decisions/0013.
"""

import hmac
import os
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from pydantic import AfterValidator, Field

from web import urls
from web.head import sent_method
from web.problems import ProblemError
from web.settings import HeaderSecret, Settings

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}  # anyone may send another; it is no label


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
HTTP_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request, by route template.",
    ["method", "route", "status"],
    registry=INSTRUMENTS,
)
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
    "Products whose sending came to an end: proven, lost (sent again), differing (repaired), unpublished.",
    ["outcome"],
    registry=INSTRUMENTS,
)
for _outcome in ("proven", "lost", "differing", "unpublished"):
    ATTEMPTS.labels(_outcome)


class NotAScraperError(ProblemError):
    status = HTTPStatus.UNAUTHORIZED


def init_metrics(app: Flask, settings: MetricsSettings, *collectors: Collector) -> None:
    """Time every request; answer ``/metrics`` with that and ``collectors``, to who sends the token. First of all."""
    app.before_request(_begin)
    app.after_request(_observe)
    if settings.metrics_token is None:
        return
    token = settings.metrics_token.get_secret_value()

    def metrics() -> Response:
        if not is_bearer(request.headers.get("Authorization", ""), token):
            raise NotAScraperError("Send METRICS_TOKEN as a bearer token.", headers={"WWW-Authenticate": "Bearer"})
        return Response(exposition(*collectors), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/metrics", view_func=metrics)


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


def _begin() -> None:
    g.began = time.perf_counter()


def _observe(response: Response) -> Response:
    method = sent_method() if sent_method() in _METHODS else "other"
    route = request.url_rule.rule if request.url_rule else "none"
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    HTTP_SECONDS.labels(method, route, str(response.status_code)).observe(seconds)
    return response
