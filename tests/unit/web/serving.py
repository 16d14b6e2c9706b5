"""The web services' server around a small application, in this process and with limits that tests can reach."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask, Response, request

from web.http.api import MAX_BODY_BYTES, init_api
from web.http.problems import init_problems
from web.http.request_ids import init_request_ids
from web.http.server.limits import Limits
from web.http.server.loop import EventLoop
from web.http.uploads import accepts_body, accepts_upload, largest_body

LARGE = 4 * 1024 * 1024  # bytes: more than the socket buffers of both sides


class Served:
    """The running server: its address, and the path of each request that reached the application."""

    def __init__(self, listening: socket.socket, loop: EventLoop) -> None:
        self.address, self.loop = listening.getsockname(), loop
        self.calls: list[str] = []
        self.gate = threading.Event()  # releases requests to /waits

    def connect(self, *, read_little: bool = False) -> socket.socket:
        """Open a connection; with ``read_little``, its receive buffer has the smallest size."""
        client = socket.socket()
        if read_little:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.settimeout(20)
        try:
            client.connect(self.address)
        except OSError:
            client.close()
            raise
        return client

    def ask(self, sent: bytes) -> bytes:
        """Send raw bytes; return the answer until the server closes."""
        with self.connect() as client:
            client.sendall(sent)
            return until_closed(client)

    def get(self, path: str) -> bytes:
        return self.ask(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())


def until_closed(client: socket.socket) -> bytes:
    received = b""
    while part := client.recv(65536):
        received += part
    return received


def closed(client: socket.socket) -> bool:
    """Return whether the server closes the connection within the socket's timeout, ignoring what it still sends."""
    try:
        until_closed(client)
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@contextmanager
def serving(limits: Limits, threads: int = 2, listening: socket.socket | None = None) -> Iterator[Served]:
    """Serve the application until the block ends."""
    app = Flask("served", static_folder=None)
    with listening or socket.create_server(("127.0.0.1", 0)) as listening:
        wake, waker = os.pipe()
        loop = EventLoop(
            app, [listening], partial(largest_body, app), limits=limits, threads=threads, backlog=100, wake=wake
        )
        served = Served(listening, loop)
        _routes(app, served)
        ended = threading.Event()
        turns = threading.Thread(target=_run, args=(loop, ended))
        turns.start()
        try:
            yield served
        finally:
            served.gate.set()
            ended.set()
            os.write(waker, b"x")
            turns.join()
            os.close(wake)
            os.close(waker)


def _run(loop: EventLoop, ended: threading.Event) -> None:
    while not ended.is_set():
        loop.step(0.05)
    loop.close()


def _routes(app: Flask, served: Served) -> None:
    init_request_ids(app)
    init_problems(app)
    init_api(app, "Served")
    app.before_request(lambda: served.calls.append(request.path))
    app.add_url_rule("/", "root", lambda: "here")
    app.add_url_rule("/large", "large", lambda: b"x" * LARGE)
    app.add_url_rule("/pieces", "pieces", lambda: Response(b"x" * 65536 for _ in range(LARGE // 65536)))
    app.add_url_rule("/waits", "waits", lambda: str(served.gate.wait(30)))
    app.add_url_rule("/length", "length", lambda: str(len(request.get_data())), methods=["POST"])
    app.add_url_rule("/api/length", "json", lambda: str(len(request.get_data())), methods=["POST"])
    app.add_url_rule("/api/list", "list", accepts_body(2)(_length), methods=["POST"])
    app.add_url_rule("/upload", "upload", accepts_upload(2)(_upload), methods=["POST"])
    app.add_url_rule("/fails", "fails", lambda: Response(_fails()))
    assert app.config["MAX_CONTENT_LENGTH"] == MAX_BODY_BYTES


def _length() -> str:
    return str(len(request.get_data()))


def _upload() -> str:
    return str(len(request.files["file"].read()))


def _fails() -> Iterator[bytes]:
    yield b""
    raise RuntimeError("in the middle of an answer")
