"""How both web services run. Threads, because they mostly wait for their database."""

import sys
from typing import Any

from tasks.config import BrokerSettings
from web.settings import SettingsError

worker_class = "gthread"
# One worker process unless WEB_CONCURRENCY (which gunicorn reads itself) says more; SQLite has one writer anyway.
threads = 8
timeout = 30  # seconds without a sign of life before a worker is replaced
graceful_timeout = 20
keepalive = 5
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(M)sms"  # no query strings: they may hold what nobody should log
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Both announce changes on the broker: if its setting is wrong, say so now and not at the first write."""
    try:
        BrokerSettings()
    except SettingsError as error:
        sys.exit(f"Settings:\n{error}")
