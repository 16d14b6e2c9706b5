"""A Client that accepts calls and answers late or never: a call waits briefly, and the next ones not at all."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from flask import Flask

from admin import maintenance
from admin.outbox.breaker import Breaker
from admin.outbox.client_gateway import ClientGateway, ClientUnavailableError
from admin.relay import restore_detection
from admin.relay.loop import Relay
from contract.names import LANE_QUEUES
from tests.unit.admin.catalogue import Api
from tools.stack.api import eventually

KEYS = {"test": b"k" * 40}
TIMEOUT_SECONDS = 0.3
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"


class Silent:
    """A server that accepts calls and sends ``answer`` byte by byte; without one it sends nothing."""

    def __init__(self, answer: bytes = b"") -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.calls = 0
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)  # which ends the wait for the next call
        self._accepting.join()
        for each in (self._server, *self._open):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._server.accept()
                self.calls += 1
                self._open.append(connection)
                threading.Thread(target=self._trickle, args=[connection], daemon=True).start()

    def _trickle(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.recv(65_536)
            for byte in self._answer:
                connection.sendall(bytes([byte]))
                time.sleep(0.02)


@contextmanager
def silent(answer: bytes = b"") -> Iterator[Silent]:
    server = Silent(answer)
    try:
        yield server
    finally:
        server.close()


def test_silent_client_is_not_called_again_before_the_cooldown_ends() -> None:
    with silent() as client:
        gateway = ClientGateway(client.url, KEYS)
        with pytest.raises(ClientUnavailableError, match="timed out"):
            gateway.ask("/x", {}, TIMEOUT_SECONDS)
        for _ in range(5):
            with pytest.raises(ClientUnavailableError, match="the next call is made in a few seconds"):
                gateway.ask("/x", {}, TIMEOUT_SECONDS)
        assert client.calls == 1


def test_timeout_counts_for_the_whole_answer() -> None:
    with silent(HEAD + b" " * 38 + b"{}") as client, pytest.raises(ClientUnavailableError, match="too slow"):
        ClientGateway(client.url, KEYS).ask("/x", {}, TIMEOUT_SECONDS)


def test_client_that_refuses_connections_is_called_each_time() -> None:
    gateway = ClientGateway("http://127.0.0.1:1", KEYS)
    for _ in range(3):
        with pytest.raises(ClientUnavailableError, match="Connection refused"):
            gateway.ask("/x", {}, TIMEOUT_SECONDS)


def test_open_breaker_lets_one_probe_through_after_its_cooldown_and_closes_after_an_answer() -> None:
    breaker = Breaker(cooldown=0.05)
    assert [breaker.may_call(), breaker.may_call()] == [True, True]
    breaker.open()
    assert not breaker.may_call()
    eventually(breaker.may_call, within=5)
    breaker = Breaker(cooldown=0.0)
    breaker.open()
    assert breaker.may_call(), "the probe"
    breaker = Breaker(cooldown=60)
    breaker.open()
    breaker.close()
    assert [breaker.may_call(), breaker.may_call()] == [True, True]


@pytest.fixture
def silent_client(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    """Admin's Client, which accepts calls and never answers."""
    with silent() as client:
        monkeypatch.setitem(app.extensions, "client_gateway", ClientGateway(client.url, KEYS))
        yield client


def test_relay_waits_once_for_a_silent_client_over_all_lanes_and_maintenance(
    app: Flask, editor: Api, silent_client: Silent
) -> None:
    editor.create()
    with app.app_context():
        relay = Relay()
        for lane in LANE_QUEUES:
            relay._verify([], lane)
        for _ in range(3):
            with pytest.raises(ClientUnavailableError):
                restore_detection.ask([])
    assert silent_client.calls == 1


def test_relay_sends_while_maintenance_waits_for_a_client_that_does_not_answer(
    app: Flask, silent_client: Silent
) -> None:
    beats = Beats()
    with maintenance.running(app), app.app_context():
        eventually(lambda: silent_client.calls > 0, within=20, what="a call of maintenance")
        beats.relay = Relay(beats)
        beats.relay.run()  # until it has beaten some times
    assert beats.count == Beats.ENOUGH
    assert silent_client.calls == 1, "maintenance waits for its first answer still"


class Beats:
    """In place of the heartbeat's file: counts, and stops the relay after some."""

    ENOUGH = 3

    def __init__(self) -> None:
        self.count, self.relay = 0, Relay()

    def beat(self) -> None:
        self.count += 1
        if self.count == self.ENOUGH:
            self.relay.stop()
