"""How one can tell from outside that a process does its work."""

import http.client

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
