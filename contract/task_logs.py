"""Logs of Celery's processes: the common format, with the task's name and id in every line of a task."""

import logging
from typing import Any

import structlog
from celery import signals

from runtime import logs

# They log the start and end of every task. Tasks log what they did themselves, with the ids.
_PER_TASK = ("celery.worker.strategy", "celery.app.trace")


@signals.setup_logging.connect
def _configure(**_: Any) -> None:
    logs.configure()
    for name in _PER_TASK:
        logging.getLogger(name).setLevel(logging.WARNING)


@signals.task_prerun.connect
def _bind(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)


@signals.task_postrun.connect
def _unbind(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()
