"""Attacks on the HTTP layer of the real servers: smuggling, oversized and slow requests."""

import json
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import requests

from tests.flow.stores import CONTENT, unique_name
from tests.security import wire
from tests.security.conftest import System

SERVICES = pytest.mark.parametrize("service", ["admin", "client"])
SMUGGLED = b"GET /api/v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Raise this process's limit of open files for the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def base_of(system: System, service: str) -> str:
    return system.admin_url if service == "admin" else system.client_url


AMBIGUOUS = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "list of lengths": b"Content-Length: 0, 44\r\n\r\n" + SMUGGLED,
    "signed length": b"Content-Length: +0\r\n\r\n" + SMUGGLED,
    "unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "space before the colon": b"Content-Length : 44\r\n\r\n" + SMUGGLED,
    "folded header": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "null in a header": b"X-Thing: a\0b\r\n\r\n" + SMUGGLED,
}


@SERVICES
@pytest.mark.parametrize("attack", AMBIGUOUS)
def test_ambiguous_request_is_refused_and_later_bytes_are_not_read(system: System, service: str, attack: str) -> None:
    received = wire.exchange(base_of(system, service), HEAD + AMBIGUOUS[attack])
    [status] = wire.statuses(received)  # one answer: the inner bytes were not read as a request
    assert status in {400, 501}, received


@SERVICES
def test_underscored_twin_of_a_header_does_not_replace_it(system: System, service: str) -> None:
    request = (
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: real\r\nX_Request_ID: forged\r\nConnection: close\r\n\r\n"
    )
    assert b"x-request-id: real" in wire.exchange(base_of(system, service), request).lower()


@SERVICES
def test_forwarded_address_and_scheme_of_a_caller_are_not_trusted(system: System, service: str) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Ssl": "on"}
    answer = requests.get(f"{base_of(system, service)}/livez", headers=headers, timeout=20)
    assert "Strict-Transport-Security" not in answer.headers


LARGE = {
    "body by length": (HEAD + b"Content-Length: 1048577\r\n\r\n" + b"x" * 65536, {413}),
    "body by chunks": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 17 + b"0\r\n\r\n",
        {413},
    ),
    "header": (b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 9000 + b"\r\n\r\n", {400, 431}),
    "many headers": (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-A: 1\r\n" * 60 + b"\r\n", {400, 431}),
    "request line": (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {400, 414}),
    "head without end": (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-A: 1\r\n" * 9000, {400, 431}),
}


@SERVICES
@pytest.mark.parametrize("attack", LARGE)
def test_oversized_request_is_refused(system: System, service: str, attack: str) -> None:
    request, expected = LARGE[attack]
    received = wire.exchange(base_of(system, service), request, wait=1.5)
    assert wire.statuses(received)[:1] in [[status] for status in expected], received[:300]


SLOW = {
    "a head that never ends": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "nothing at all": b"",
    "a body that never comes": HEAD + b"Content-Length: 900\r\n\r\n{",
    "a chunk that never ends": HEAD + b"Transfer-Encoding: chunked\r\n\r\n384\r\n{",
    "a large body that stops": HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 60_000,
}


def answers_others(base: str) -> None:
    """Check that ten other requests are answered, each within the timeout of a health check."""
    for _ in range(10):
        assert requests.get(f"{base}/readyz", timeout=5).status_code == 200


@SERVICES
@pytest.mark.parametrize("attack", SLOW)
def test_slow_clients_do_not_delay_others(system: System, service: str, attack: str) -> None:
    base = base_of(system, service)
    with ExitStack() as stack:
        for _ in range(40):  # five times the number of threads
            stack.enter_context(wire.connect(base)).sendall(SLOW[attack])
        answers_others(base)


@SERVICES
def test_slow_readers_occupy_no_thread_and_are_closed(system: System, service: str) -> None:
    base = base_of(system, service)
    [script] = re.findall(r'src="(/[^"]*swagger-ui-bundle[^"]*)"', requests.get(f"{base}/api/docs", timeout=20).text)
    request = f"GET {script} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with ExitStack() as stack:
        readers = [stack.enter_context(wire.connect(base, receive_buffer=1)) for _ in range(40)]
        for reader in readers:
            reader.sendall(request * 50)
        for reader in readers:
            assert reader.recv(100).startswith(b"HTTP/1.1 200 ")
        answers_others(base)
        assert wire.all_close(readers)


@SERVICES
@pytest.mark.usefixtures("many_files")
def test_a_thousand_silent_bodies_do_not_delay_others_and_are_closed(system: System, service: str) -> None:
    base = base_of(system, service)
    silent = HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 33_000
    with ExitStack() as stack:
        clients = [stack.enter_context(wire.connect(base)) for _ in range(1100)]
        for client in clients:
            with suppress(ConnectionError):  # the oldest are closed for new ones
                client.sendall(silent)
        answers_others(base)
        assert wire.all_close(clients)


@SERVICES
def test_client_that_expects_100_is_answered_before_it_sends_a_body(system: System, service: str) -> None:
    head = HEAD + b"Expect: 100-continue\r\nConnection: close\r\n"
    with wire.connect(base_of(system, service)) as client:
        client.sendall(head + b"Content-Length: 2\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert wire.statuses(wire.read_all(client)) == [422]
    refused = wire.exchange(base_of(system, service), head + b"Content-Length: 2000000\r\n\r\n")
    assert wire.statuses(refused) == [413]


def test_upload_without_a_token_is_refused_by_its_size_before_it_is_sent(system: System) -> None:
    head = b"POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    received = wire.exchange(system.admin_url, head + b"Expect: 100-continue\r\nContent-Length: 200000000\r\n\r\n")
    assert wire.statuses(received) == [413]


def test_batch_that_is_cut_off_in_the_middle_stores_nothing_and_can_be_sent_again(system: System) -> None:
    skus = [unique_name(), unique_name()]
    items = [{"action": "create", "product": {**CONTENT, "sku": sku}} for sku in skus]
    body = json.dumps({"items": items}).encode()
    head = b"POST /api/v1/products/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {system.tokens['editor']}\r\nIdempotency-Key: {skus[0]}\r\n".encode()
    whole = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with wire.connect(system.admin_url) as client:
        client.sendall(whole[: -len(body) // 2])
        client.shutdown(socket.SHUT_WR)
        assert b'"items"' not in wire.read_all(client)
    assert [stored(system, sku) for sku in skus] == [0, 0]
    for _ in range(2):
        answer = wire.exchange(system.admin_url, whole)
        assert wire.statuses(answer) == [200]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["created"] == 2
    assert [stored(system, sku) for sku in skus] == [1, 1]


def stored(system: System, sku: str) -> int:
    return len(system.staff["editor"].ask("GET", "/api/v1/products", params={"q": sku}).json()["items"])
