"""A worker's metrics: outcome and duration of its tasks. Served where METRICS_ADDRESS is set.

Tasks run in the pool's child processes, which are replaced from time to time. Each child counts into the files of its
slot in the pool. The parent serves them, and counts the tasks whose child was lost or stopped at its time limit.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from billiard import current_process
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.worker import state
from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runtime import metrics
from runtime.metrics_server import MetricsServer

_ENDED_IN_PARENT: dict[type[BaseException], str] = {WorkerLostError: "lost", TimeLimitExceeded: "timeout"}


class _Pool(Collector):
    """The worker's active and reserved tasks."""

    def collect(self) -> Iterator[Metric]:
        active, reserved = len(state.active_requests), len(state.reserved_requests)
        yield GaugeMetricFamily("worker_tasks_active", "Tasks that run now.", active)
        yield GaugeMetricFamily("worker_tasks_reserved", "Tasks received from the broker and not ended.", reserved)


class _Tasks:
    """Measures tasks in the process that runs them; one at a time."""

    def __init__(self) -> None:
        self._began = 0.0
        self._seconds = Histogram(
            "task_duration_seconds",
            "Duration of a task by outcome: success, retry, rejected, failure, lost, timeout.",
            ["task", "outcome"],
            registry=metrics.INSTRUMENTS,
        )
        signals.task_prerun.connect(self._begin, weak=False)
        signals.task_postrun.connect(self._end, weak=False)
        signals.task_failure.connect(self._lost, weak=False)

    def _begin(self, **_: Any) -> None:
        self._began = time.perf_counter()

    def _end(self, task: Any, state: str | None, **_: Any) -> None:
        outcome = (state or "failure").lower()
        self._seconds.labels(task.name, outcome).observe(time.perf_counter() - self._began)

    def _lost(self, sender: Any, exception: BaseException, **_: Any) -> None:
        if outcome := _ENDED_IN_PARENT.get(type(exception)):
            self._seconds.labels(sender.name, outcome).observe(0)


@signals.worker_init.connect
def _watch(**_: Any) -> None:
    """Start measuring and serving before the pool forks, where METRICS_ADDRESS is set."""
    settings = metrics.MetricsSettings()
    if settings.metrics_address is None:
        return
    folder = os.environ[metrics.DIRECTORY] = tempfile.mkdtemp(prefix="lockstep-metrics-")
    # By slot, not by process id: a new child continues the files of the one it replaces.
    metrics.share_between_processes(lambda: getattr(current_process(), "index", "parent"))
    _Tasks()
    server = MetricsServer(settings, _Pool())
    server.start()
    signals.worker_process_init.connect(lambda **_: server.close_here(), weak=False)
    signals.worker_shutdown.connect(lambda **_: shutil.rmtree(folder, ignore_errors=True), weak=False)
