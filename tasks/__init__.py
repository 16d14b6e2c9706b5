"""The worker's side: task bodies, consumer, metrics. ``celery -A tasks …`` finds the Celery application here.

The application is created on first use. Only a worker imports the task bodies: beat, Flower and the commands know tasks
by name, and without the Client's libraries each of them starts half a second sooner and takes 40 MB less.
"""

import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any

from runtime.imports import without_collector

if TYPE_CHECKING:
    from contract.app import app as celery

__all__ = ["celery"]

WORKER_IMPORTS = (
    "tasks.products",
    "tasks.likes",
    "tasks.dead_letters",
    "tasks.images",
    "tasks.clock",
    "tasks.metrics",
    "tasks.tracing",
    "client.worker",
)


def __getattr__(name: str) -> Any:
    if name != "celery":
        raise AttributeError(f"module 'tasks' has no attribute {name!r}")
    from celery.signals import celeryd_init

    from contract.app import app

    celeryd_init.connect(import_bodies)
    return app


def import_bodies(**_: Any) -> None:
    """Import the task bodies, in the process of a worker and before its pool forks. Exits where one cannot be."""
    try:
        with without_collector():
            for name in WORKER_IMPORTS:
                import_module(name)
    except Exception as error:  # Celery would only log it, and the worker would discard every task as unknown
        traceback.print_exc()
        raise SystemExit(1) from error
