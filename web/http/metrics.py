"""``/metrics`` of the web services, and the duration of every request."""

import time
from http import HTTPStatus

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, Histogram
from prometheus_client.registry import Collector

from runtime.metrics import INSTRUMENTS, MetricsSettings, exposition, is_bearer
from web.http.head import sent_method
from web.http.problems import ProblemError

_METHODS = {
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
}  # callers may send any text, which must not become a label


HTTP_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request, by route template.",
    ["method", "route", "status"],
    registry=INSTRUMENTS,
)


class BadScrapeTokenError(ProblemError):
    status = HTTPStatus.UNAUTHORIZED


def init_metrics(app: Flask, settings: MetricsSettings, *collectors: Collector) -> None:
    """Time every request, and serve ``/metrics`` to callers with the token. Call it before all other set-up."""
    app.before_request(_begin)
    app.after_request(_observe)
    if settings.metrics_token is None:
        return
    token = settings.metrics_token.get_secret_value()

    def metrics() -> Response:
        if not is_bearer(request.headers.get("Authorization", ""), token):
            raise BadScrapeTokenError("Send METRICS_TOKEN as a bearer token.", headers={"WWW-Authenticate": "Bearer"})
        return Response(exposition(*collectors), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/metrics", view_func=metrics)


def _begin() -> None:
    g.began = time.perf_counter()


def _observe(response: Response) -> Response:
    method = sent_method() if sent_method() in _METHODS else "other"
    route = request.url_rule.rule if request.url_rule else "none"
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    HTTP_SECONDS.labels(method, route, str(response.status_code)).observe(seconds)
    return response
