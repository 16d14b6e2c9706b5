"""The Celery application. ``celeryconfig.py`` has its settings, with the reason for each.

Producers (Admin, the Client's web) use it to send by name; only a worker loads the task bodies.
"""

from celery import Celery

from contract import task_logs  # noqa: F401  (Celery's processes log in the format of the product)
from runtime import uncaught

uncaught.explain()  # Celery's commands configure no logs, and print unexpected errors as they are

app = Celery("lockstep", config_source="celeryconfig")
