"""``X-Request-ID``: accepted from the caller or generated, returned, and bound to the logs; and the request log."""

import time

import structlog
from flask import Flask, Response, g, has_request_context, request

from runtime.correlation import HEADER, new_id, valid_id
from web.http.head import sent_method

_ROUTINE = {"/livez", "/readyz", "/metrics"}  # called every few seconds by probes and scrapers

log = structlog.get_logger(__name__)


def init_request_ids(app: Flask) -> None:
    app.before_request(_bind)
    app.after_request(_echo)
    app.after_request(_log)


def request_id() -> str | None:
    """Return the id of the current request; None outside a request."""
    return g.get("request_id") if has_request_context() else None


def _bind() -> None:
    g.request_id = valid_id(request.headers.get(HEADER)) or new_id()
    g.request_began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _echo(response: Response) -> Response:
    response.headers[HEADER] = g.get("request_id", "")
    return response


def _log(response: Response) -> Response:
    """Log the request without its query string, which may contain secrets."""
    seconds = time.perf_counter() - g.get("request_began", time.perf_counter())
    routine = request.path in _ROUTINE or request.endpoint == "static"
    (log.debug if routine else log.info)(
        "request", method=sent_method(), path=request.path, status=response.status_code, ms=round(seconds * 1000, 1)
    )
    return response
