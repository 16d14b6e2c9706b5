"""HTTP by hand, for what no client library would send."""

import select
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

SECONDS = 20


def connect(base: str, receive_buffer: int | None = None) -> socket.socket:
    """Open a connection; ``receive_buffer`` in bytes makes it one that can only be sent a little at a time."""
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
