"""The worker's side: task bodies, consumer, metrics. ``celery -A tasks …`` finds the Celery application here.

The application is created on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract.app import app as celery

__all__ = ["celery"]


def __getattr__(name: str) -> Any:
    if name != "celery":
        raise AttributeError(f"module 'tasks' has no attribute {name!r}")
    from contract.app import app

    return app
