"""The Celery application. Its settings, with the reason for each, are in ``celeryconfig.py``.

Producers (Admin, the Client's web) use it to send by name; only a worker loads the task bodies.
"""

from celery import Celery

from contract import task_logs  # noqa: F401  (every process of Celery's logs as ours do)
from runtime import uncaught

uncaught.explain()  # Celery's commands configure no logs, and print what they do not expect

app = Celery("lockstep", config_source="celeryconfig")
