"""How both web services run. Threads, because they mostly wait for their database."""

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
    """Gunicorn's own lines go where ours go. Requests are logged by the applications, with their ids."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True
        logs.configure()


logger_class = Logger

worker_class = "web.http.server.Worker"
# One worker process unless WEB_CONCURRENCY (which gunicorn reads itself) says more; SQLite has one writer anyway.
threads = 8
timeout = 30  # seconds without a sign of life before a worker is replaced
graceful_timeout = 20
keepalive = 5
control_socket_disable = True


# All worker processes count into these files, so that any of them answers /metrics for all (runtime/metrics.py).
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="lockstep-metrics-")


def child_exit(_server: Any, worker: Any) -> None:
    """What an ended process holds now is nothing; what it counted stays."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def on_starting(_server: Any) -> None:
    """Both announce changes on the broker: if its setting is wrong, say so now and not at the first write."""
    try:
        BrokerSettings()
    except SettingsError as error:
        sys.exit(f"Settings:\n{error}")
