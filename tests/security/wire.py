"""HTTP by hand, for what no client library would send."""

import socket
from urllib.parse import urlsplit

SECONDS = 20


def connect(base: str) -> socket.socket:
    parts = urlsplit(base)
    return socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=SECONDS)


def read_all(connection: socket.socket) -> bytes:
    """Return everything until the other side closes, or says nothing for a while."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except (TimeoutError, ConnectionError):
        pass
    return received


def exchange(base: str, request: bytes, wait: float = SECONDS) -> bytes:
    """Send bytes as they are; return what comes back."""
    with connect(base) as connection:
        connection.settimeout(wait)
        connection.sendall(request)
        return read_all(connection)


def statuses(received: bytes) -> list[int]:
    """Return the status of every response in what came back."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
