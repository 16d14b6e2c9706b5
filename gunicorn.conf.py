"""gunicorn's settings for both web services. They use threads, as requests mostly wait for the database."""

import logging
import os
import shutil
import sys
import tempfile
from typing import Any

from gunicorn import glogging
from prometheus_client import multiprocess

from contract.config import BrokerSettings
from runtime import logs
from runtime.settings import SettingsError


class Logger(glogging.Logger):  # type: ignore[misc]
    """Log gunicorn's lines in the common format. The applications log requests, with their ids."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True
        logs.configure()


logger_class = Logger

worker_class = "web.http.server.Worker"
# One worker process, unless gunicorn finds WEB_CONCURRENCY. SQLite has only one writer.
threads = 8
timeout = 30  # seconds without a heartbeat before a worker is replaced
graceful_timeout = 20
keepalive = 5
control_socket_disable = True


# All worker processes count in these files, so that each of them answers /metrics for all (runtime/metrics.py).
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="lockstep-metrics-")


def child_exit(_server: Any, worker: Any) -> None:
    """Reset the gauges of an ended process; its counters remain."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def on_starting(_server: Any) -> None:
    """Check the broker's setting at the start: both services publish after writes."""
    try:
        BrokerSettings()
    except SettingsError as error:
        sys.exit(f"Settings:\n{error}")
