"""The proxy that stands for a bad network, before a server that echoes."""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tools.faults.proxy import Proxy
from tools.stack.ports import HOST

TIMEOUT = 5  # seconds
SILENCE = 0.3


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(1000):
            self.request.sendall(data)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with Proxy(server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()
        thread.join()


@pytest.fixture
def caller(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, proxy.port), TIMEOUT) as connection:
        connection.sendall(b"hello")
        assert connection.recv(1000) == b"hello"
        yield connection


def is_cut(caller: socket.socket) -> bool:
    try:
        return caller.recv(1000) == b""
    except ConnectionResetError:
        return True


def test_cut_ends_the_connection_and_new_ones_work(proxy: Proxy, caller: socket.socket) -> None:
    proxy.cut()
    assert is_cut(caller)
    with socket.create_connection((HOST, proxy.port), TIMEOUT) as again:
        again.sendall(b"again")
        assert again.recv(1000) == b"again"


def test_refuse_ends_new_connections_too(proxy: Proxy, caller: socket.socket) -> None:
    proxy.refuse()
    assert is_cut(caller)
    with socket.create_connection((HOST, proxy.port), TIMEOUT) as again:
        assert is_cut(again)


def test_stalled_connection_sends_nothing_and_resumes_later(proxy: Proxy, caller: socket.socket) -> None:
    proxy.stall()
    caller.sendall(b"later")
    caller.settimeout(SILENCE)
    with pytest.raises(TimeoutError):
        caller.recv(1000)
    proxy.work()
    caller.settimeout(TIMEOUT)
    assert caller.recv(1000) == b"later"


def test_connection_is_cut_in_the_middle_of_an_answer(proxy: Proxy, caller: socket.socket) -> None:
    proxy.cut_after(3)
    caller.sendall(b"half of this")
    assert caller.recv(1000) in (b"hal", b"")
    assert is_cut(caller)


def test_answer_is_the_proxy_s_own(proxy: Proxy) -> None:
    proxy.answer(b"HTTP/1.1 500 No\r\n\r\n")
    with socket.create_connection((HOST, proxy.port), TIMEOUT) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert caller.recv(1000) == b"HTTP/1.1 500 No\r\n\r\n"
