"""The Celery application. Its settings, with the reason for each, are in ``celeryconfig.py``.

Producers (Admin, the Client's web) use it to send by name; only a worker loads the task bodies.
"""

from celery import Celery

app = Celery("lockstep", config_source="celeryconfig")
