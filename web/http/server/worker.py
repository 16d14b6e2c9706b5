"""gunicorn's worker process: sockets, signals and heartbeat around the event loop."""

import logging
import os
import resource
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.errors import ConfigError
from gunicorn.workers.base import Worker as BaseWorker

from runtime.imports import without_collector
from web.http.server.limits import Limits

if TYPE_CHECKING:
    from flask import Flask

    from web.http.server.loop import EventLoop

_FILES = 4096  # descriptors: each connection has up to three, including files with buffered data
_OWN_FILES = 256  # descriptors for everything else


class Worker(BaseWorker):
    """Serves a Flask application until gunicorn stops it or gunicorn has ended."""

    @classmethod
    def check_config(cls, cfg: Any, _log: Any) -> None:
        """Raise ConfigError for TLS settings, which would be silently ignored."""
        if cfg.is_ssl:
            raise ConfigError("This server has no TLS: put a proxy with TLS in front of it, and set TRUSTED_PROXIES.")

    def load_wsgi(self) -> None:
        """Import and create the application."""
        with without_collector():
            super().load_wsgi()

    def run(self) -> None:
        # waitress logs each request that waits for a thread.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        loop = self._loop()
        while self.alive and self.ppid == os.getppid():
            self.notify()
            loop.step()
        loop.stop_accepting()
        end = time.monotonic() + self.cfg.graceful_timeout
        while not loop.finished() and time.monotonic() < end:
            self.notify()
            loop.step()
        loop.close()

    def _loop(self) -> "EventLoop":
        # Here, as gunicorn's own process imports this module and needs neither Flask nor waitress.
        from web.http.server.loop import EventLoop
        from web.http.uploads import largest_body

        application: Flask = self.wsgi
        return EventLoop(
            application,
            [listener.sock for listener in self.sockets],
            partial(largest_body, application),
            limits=Limits(
                keepalive_seconds=self.cfg.keepalive,
                connections=min(self.cfg.worker_connections, _most_connections()),
            ),
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            wake=self.PIPE[0],
        )


def _most_connections() -> int:
    """Raise the process's limit of open files where possible, and return the number of connections that it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        soft = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _FILES if soft == resource.RLIM_INFINITY else max(1, (soft - _OWN_FILES) // 3)
