"""TCP ports on 127.0.0.1."""

import random
import socket

from tools.stack.errors import StackError

HOST = "127.0.0.1"
# Below the ports that systems hand to outgoing connections (from 32768 on Linux, 49152 elsewhere): there, a
# connection made while a server restarts can take its port, even by connecting to itself.
_FIRST, _LAST = 15_000, 31_999
_TRIES = 200


class PortTakenError(StackError):
    """Another process listens on a requested port."""


def is_free(port: int) -> bool:
    """Return whether a server could listen on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: ignores closed connections
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_open(port: int, timeout: float = 0.5) -> bool:
    """Return whether something accepts connections on ``port`` within ``timeout`` seconds."""
    try:
        socket.create_connection((HOST, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a free port. Raises StackError where none is found."""
    for port in random.sample(range(_FIRST, _LAST + 1), _TRIES):
        if is_free(port):
            return port
    raise StackError(f"found no free port on {HOST} between {_FIRST} and {_LAST}")


def require_free(port: int, owner: str, option: str) -> None:
    """Check that ``owner`` can listen on ``port``, which ``option`` sets. Raises PortTakenError."""
    if not is_free(port):
        raise PortTakenError(f"port {port}, for {owner}, is in use: choose another with {option} PORT")
