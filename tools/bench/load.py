"""The load, from a process of its own: ``python -m tools.bench.load``, its orders as JSON on standard input.

Each client is a thread with one keep-alive connection and nothing but a socket: at these rates the client of a load
tool (about 1 ms of CPU per request) would need more of the two cores than the service it measures.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

from tools.bench import catalogue

_RESTED = 2.0  # seconds; the services close a connection after five idle ones
Request = tuple[str, str, bytes]  # method, path, body


class Connection:
    """One HTTP/1.1 connection that sends a request and reads its answer."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port = port
        self._connect()
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._headers = f"Host: 127.0.0.1\r\n{authorization}If-Match: *\r\nContent-Type: application/json\r\n"
        self._rest = b""

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._used = time.monotonic()

    def send(self, method: str, path: str, body: bytes = b"", key: str = "") -> tuple[int, bytes, bytes]:
        """Send a request, with an Idempotency-Key where there is a ``key``; return the answer's status, head, body."""
        if time.monotonic() - self._used > _RESTED:
            self._socket.close()
            self._connect()
        once = f"Idempotency-Key: {key}\r\n" if key else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}{once}Content-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        answer, _, self._rest = self._rest.partition(b"\r\n\r\n")
        length = _length(answer)
        while len(self._rest) < length:
            self._receive()
        content, self._rest = self._rest[:length], self._rest[length:]
        self._used = time.monotonic()
        return int(answer[9:12]), answer, content

    def _receive(self) -> None:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the service closed the connection")
        self._rest += received


def _length(head: bytes) -> int:
    lower = head.lower()
    if b"transfer-encoding" in lower:
        raise ConnectionError("a chunked answer")
    return int(lower.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)


def creates(client: int, orders: dict[str, Any]) -> Iterator[Request]:
    """Create products with unique skus."""
    for number in count():
        body = catalogue.content(number, f"{orders['prefix']}-{client}")
        yield "POST", orders["path"], json.dumps(body).encode()


def likes(client: int, orders: dict[str, Any]) -> Iterator[Request]:
    """Like this client's share of the products, then unlike all, repeatedly: each request is a change."""
    mine = orders["products"][client :: orders["clients"]]
    for method in cycle(("PUT", "DELETE")):
        for product in mine:
            yield method, orders["path"].format(product), b""


KINDS: dict[str, Callable[[int, dict[str, Any]], Iterator[Request]]] = {
    "creates": creates,
    "likes": likes,
}


@dataclass
class Tally:
    """The results of one client."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def work(client: int, orders: dict[str, Any], start: threading.Barrier, tally: Tally) -> None:
    """Send requests until the time given is reached."""
    connection, requests = Connection(orders["port"], orders["token"]), KINDS[orders["kind"]](client, orders)
    start.wait()
    end = time.monotonic() + orders["seconds"]
    try:
        for request in requests:
            if (began := time.monotonic()) >= end:
                break
            status, _, body = connection.send(*request)
            tally.seconds.append(time.monotonic() - began)
            if status >= 300:
                tally.failures.append(f"{status} {body[:200]!r}")
    except OSError as error:
        tally.failures.append(repr(error))


def main() -> None:
    """Run all clients; print their results as JSON."""
    orders = json.load(sys.stdin)
    start = threading.Barrier(orders["clients"] + 1)
    tallies = [Tally() for _ in range(orders["clients"])]
    clients = [
        threading.Thread(target=work, args=(number, orders, start, tally)) for number, tally in enumerate(tallies)
    ]
    for client in clients:
        client.start()
    start.wait()
    began = time.monotonic()
    for client in clients:
        client.join()
    took = time.monotonic() - began
    json.dump(
        {
            "took": took,
            "seconds": [second for tally in tallies for second in tally.seconds],
            "failures": [failure for tally in tallies for failure in tally.failures],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
