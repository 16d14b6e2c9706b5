"""The contract between the two services: names, messages, queues, and the task bodies.

``celery -A tasks …`` finds the Celery application here. It is made on first use, so that importing
``contract.names`` or ``contract.messages`` needs no Celery.
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
