"""``/metrics`` of the processes without a web service: the relay and the Celery worker."""

import socket
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from runtime import urls
from runtime.metrics import MetricsSettings, exposition, is_bearer
from runtime.settings import SettingsError

log = structlog.get_logger(__name__)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds; a silent connection must not occupy a thread

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: there is a scrape every few seconds."""


class MetricsServer:
    """Serves the metrics on ``metrics_address`` from a thread, to callers with the token."""

    def __init__(self, settings: MetricsSettings, *collectors: Collector) -> None:
        """Raises SettingsError where an address is set without a token."""
        if settings.metrics_address and settings.metrics_token is None:
            raise SettingsError("METRICS_ADDRESS needs METRICS_TOKEN; see .env.example")
        self._address = settings.metrics_address
        self._token = settings.metrics_token.get_secret_value() if settings.metrics_token else ""
        self._collectors = collectors
        self._server: WSGIServer | None = None

    def start(self) -> None:
        """Start serving, where an address is set. An address in use is logged; the process works without metrics."""
        if self._address is None:
            return
        host, port = urls.host_and_port(self._address)
        server = _ServerV6 if self._address.startswith("[") else _Server
        try:
            self._server = make_server(host, port, self._answer, server, _Handler)
        except OSError as error:
            log.warning("metrics not served", address=self._address, error=str(error))
            return
        Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close_here(self) -> None:
        """Close the port in a forked child, so that it is free once the parent ends."""
        if self._server is not None:
            self._server.socket.close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/metrics\n"]
        if not is_bearer(environ.get("HTTP_AUTHORIZATION", ""), self._token):
            start_response("401 Unauthorized", [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")])
            return [b"Send METRICS_TOKEN as a bearer token.\n"]
        body = exposition(*self._collectors)
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [body]
