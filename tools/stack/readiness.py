"""How one can tell from outside that a process does its work."""

import http.client

from celery import Celery
from kombu.exceptions import OperationalError

from tools.stack.ports import HOST

_TIMEOUT = 2  # seconds


def answers_ok(port: int, path: str) -> bool:
    """Return whether a GET of ``path`` on ``port`` is answered with 200 soon."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_answers(broker_url: str, node: str) -> bool:
    """Return whether the Celery worker called ``node`` answers a ping through the broker."""
    with Celery("probe", set_as_current=False) as probe:
        # Not broker_url: a CELERY_BROKER_URL in the user's environment would win over it.
        probe.conf.update(broker_read_url=broker_url, broker_write_url=broker_url)
        try:
            return bool(probe.control.inspect(destination=[node], timeout=0.5, limit=1).ping())
        except (OSError, OperationalError):
            return False
