"""Raw HTTP, for requests that no client library sends."""

import select
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

SECONDS = 20


def connect(base: str, receive_buffer: int | None = None) -> socket.socket:
    """Open a connection; ``receive_buffer`` in bytes makes it read slowly."""
    parts = urlsplit(base)
    client = socket.socket()
    if receive_buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(SECONDS)
    client.connect((str(parts.hostname), int(parts.port or 80)))
    return client


def all_close(connections: Sequence[socket.socket], within: float = 90) -> bool:
    """Return whether the other side closes all of them although they do nothing.

    Looks at what the kernel knows, because reading would make a slow reader a faster one.
    """
    poller = select.poll()
    waiting = {connection.fileno() for connection in connections}
    for connection in connections:
        poller.register(connection, select.POLLRDHUP)
    deadline = time.monotonic() + within
    while waiting and time.monotonic() < deadline:
        for descriptor, _event in poller.poll(1000):
            poller.unregister(descriptor)
            waiting.discard(descriptor)
    return not waiting


def read_all(connection: socket.socket) -> bytes:
    """Return all bytes until the other side closes or is silent for a while."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except (TimeoutError, ConnectionError):
        pass
    return received


def exchange(base: str, request: bytes, wait: float = SECONDS) -> bytes:
    """Send raw bytes; return the answer."""
    with connect(base) as connection:
        connection.settimeout(wait)
        connection.sendall(request)
        return read_all(connection)


def statuses(received: bytes) -> list[int]:
    """Return the status of every response in ``received``."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
