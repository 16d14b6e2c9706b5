"""The HTTP server of both web services: refusals, timeouts of clients, and stopping."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask, Task

from tests.flow.running import eventually
from tests.unit.web.serving import LARGE, Served, closed, serving, until_closed
from web.http.server import answers, channel, loop, parser
from web.http.server.limits import MIB, Limits

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /length HTTP/1.1\r\nHost: x\r\n"
PATIENT = Limits(arrival_seconds=60, delivery_seconds=60, keepalive_seconds=60)
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(PATIENT) as found:
        yield found


REFUSED = {
    b"GET / HTTP/1.1\r\n folded\r\n\r\n": 400,
    b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 4094): 414,
    b"GET / HTTP/1.1\r\nX: %s\r\n\r\n" % (b"x" * 8190): 431,
    b"GET / HTTP/1.1\r\n%s\r\n" % (b"X: y\r\n" * 51): 431,
    b"X" * 40_000: 431,
    b"GET / HTTP/2.0\r\nHost: x\r\n\r\n": 400,
    b"GET /\r\nHost: x\r\n\r\n": 400,
    b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n": 400,
    POST + b"Content-Length: %s\r\n\r\n" % (b"9" * 5000): 400,
    POST + b"Content-Length: nonsense\r\n\r\n": 400,
    POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n": 400,
    POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    POST + b"Transfer-Encoding: gzip\r\n\r\n": 501,
    b"POST /length HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
    CHUNKED + b"x\r\n": 400,
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.items(), ids=range(len(REFUSED)))
def test_malformed_request_is_a_problem_and_later_bytes_are_not_read(served: Served, sent: bytes, status: int) -> None:
    received = served.ask(sent + GET)
    assert received.startswith(b"HTTP/1.1 %d " % status), received
    assert received.count(b"Content-Length:") == 1
    assert b"Content-Type: application/problem+json" in received
    assert b'"status": %d' % status in received
    assert not served.calls


def test_header_fields_at_the_limits_are_accepted(served: Served) -> None:
    fields = b"X: %s\r\n" % (b"x" * 8187) + b"Y: z\r\n" * 47 + b"Host: x\r\nConnection: close\r\n"
    assert b" 200 " in served.ask(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")


def test_answers_name_no_software_and_keep_the_connection(served: Served) -> None:
    received = served.ask(GET + GET + b"GET / HTTP/1.0\r\n\r\n")
    assert received.count(b" 200 OK\r\n") == 3
    assert b"Server:" not in received


BODIES = {
    CHUNKED + b"2\r\nab\r\n3;ext\r\ncde\r\n0\r\n\r\n": b"5",
    POST + b"Content-Length: 5\r\n\r\nabcde": b"5",
    POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\nabcde": b"5",
    b"POST /length HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n": b"0",
}


@pytest.mark.parametrize(("sent", "body"), BODIES.items(), ids=range(len(BODIES)))
def test_body_reaches_the_application(served: Served, sent: bytes, body: bytes) -> None:
    received = served.ask(sent + b"GET / HTTP/1.0\r\n\r\n")
    assert b"\r\n\r\n" + body + b"HTTP/1.0 200" in received


TOO_LARGE = {
    b"POST /api/length HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n": 413,
    b"POST /api/list HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2097153\r\n": 413,
    b"POST /length HTTP/1.1\r\nContent-Length: 1048577\r\n": 413,
    b"POST /upload HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 3000000\r\n": 413,
    b"POST /upload HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n": 411,
    b"POST /nowhere HTTP/1.1\r\nContent-Length: 1048577\r\n": 404,
}


@pytest.mark.parametrize(("head", "status"), TOO_LARGE.items(), ids=range(len(TOO_LARGE)))
@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_body_above_the_limit_of_its_route_is_refused_by_its_head(
    served: Served, head: bytes, status: int, expect: bytes
) -> None:
    with served.connect() as client:
        client.sendall(head + b"Host: x\r\n" + expect + b"\r\n")  # without a body
        received = until_closed(client)
    assert received.startswith(b"HTTP/1.1 %d " % status), received
    assert b"application/problem+json" in received


def test_refusal_reaches_a_client_that_first_sends_its_whole_body(served: Served) -> None:
    body = b"x" * (8 * MIB)
    received = served.ask(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert received.startswith(b"HTTP/1.1 413 ")


CHUNKS = {
    "much content": b"ffff\r\n" + b"x" * 65535 + b"\r\n",
    "much around it": b"1;e=" + b"e" * 60_000 + b"\r\nx\r\n",
}


@pytest.mark.parametrize("chunk", CHUNKS)
def test_chunked_body_is_refused_when_it_exceeds_the_limit(served: Served, chunk: str) -> None:
    assert served.ask(CHUNKED + CHUNKS[chunk] * 50 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


def test_file_within_the_limit_of_its_route_is_accepted(served: Served) -> None:
    file = b"x" * 2_000_000
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + file + b"\r\n--b--\r\n"
    head = b"POST /upload HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n"
    assert served.ask(head % len(part) + part).endswith(b"\r\n\r\n2000000")


@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_list_within_the_limit_of_its_route_is_accepted(served: Served, coding: str) -> None:
    head = b"POST /api/list HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    body = b"x" * (2 * MIB - 100)  # chunks count with what is around them
    whole = {"length": b"Content-Length: %d\r\n\r\n%s" % (len(body), body)}
    whole["chunks"] = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert served.ask(head + whole[coding]).endswith(b"\r\n\r\n%d" % len(body))


def test_broken_answer_ends_only_its_own_connection(served: Served) -> None:
    assert b" 500 " in served.get("/fails")
    assert b" 200 " in served.get("/")


LATE = {
    "nothing": (b"", b""),
    "head": (b"GET / HTTP/1.1\r\nX: ", b"x"),
    "body": (POST + b"Content-Length: 900000\r\n\r\n", b"x"),
    "chunk": (CHUNKED + b"ffff\r\n", b"x"),
    "blank lines": (b"", b"\r\n"),
}


@pytest.mark.parametrize("late", LATE)
def test_request_that_arrives_too_slowly_is_closed(late: str) -> None:
    begin, more = LATE[late]
    with serving(Limits(arrival_seconds=1)) as served, served.connect() as client:
        client.sendall(begin)
        client.settimeout(0.1)
        ended: list[bool] = []
        while not ended:
            try:
                ended = [not client.recv(100)]
                client.sendall(more)
            except TimeoutError:
                client.sendall(more)
            except ConnectionError:
                break
        assert not served.calls


def test_body_that_arrives_fast_enough_may_take_longer() -> None:
    with serving(Limits(arrival_seconds=2, bytes_per_second=1000)) as served, served.connect() as client:
        client.sendall(POST + b"Content-Length: 800000\r\nConnection: close\r\n\r\n")
        for _ in range(40):
            time.sleep(0.1)
            client.sendall(b"x" * 20_000)
        assert until_closed(client).endswith(b"\r\n\r\n800000")


@pytest.mark.parametrize("path", ["/large", "/pieces"])
def test_slow_readers_occupy_no_thread_and_are_closed(path: str) -> None:
    request = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode()
    with serving(Limits(delivery_seconds=3)) as served, ExitStack() as stack:
        readers = [stack.enter_context(served.connect(read_little=True)) for _ in range(6)]
        for reader in readers:
            reader.sendall(request * 20)
        eventually(lambda: served.calls.count(path) == 6)  # two threads
        assert b" 200 " in served.get("/")
        assert served.calls.count(path) == 6  # one of 20 requests of each client is answered
        eventually(lambda: not [entry for entry in served.loop._map.values() if isinstance(entry, channel.Channel)])


def test_requests_sent_at_once_are_all_answered_in_order(served: Served) -> None:
    with served.connect() as client:
        client.sendall(GET + b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"GET / HTTP/1.0\r\n\r\n")
        received = until_closed(client)
    assert received.count(b" 200 OK\r\n") == 5
    assert received.count(b"x" * 1000) == 3 * LARGE // 1000
    assert served.calls == ["/", "/large", "/large", "/large", "/"]


def test_client_with_the_longest_wait_is_closed_for_another() -> None:
    with serving(Limits(arrival_seconds=60, connections=8)) as served, ExitStack() as stack:
        waiting = []
        for _ in range(20):
            waiting.append(stack.enter_context(served.connect()))
            waiting[-1].sendall(POST + b"Content-Length: 9\r\n\r\nx")
        assert all(closed(client) for client in waiting[:10])
        assert b" 200 " in served.get("/")
        waiting[-1].sendall(b"x" * 8)
        assert waiting[-1].recv(100).startswith(b"HTTP/1.1 200 ")


def test_buffered_bytes_of_clients_are_limited() -> None:
    with serving(Limits(arrival_seconds=60, buffered_bytes=2 * MIB)) as served, ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(6)]
        for client in clients:
            with suppress(ConnectionError):
                client.sendall(POST + b"Content-Length: 900000\r\n\r\n" + b"x" * 700_000)
            client.settimeout(0.5)
        eventually(lambda: sum(closed(client) for client in clients) >= 4)
        assert b" 200 " in served.get("/")


def test_idle_connection_is_closed() -> None:
    with serving(Limits(arrival_seconds=60, keepalive_seconds=0.5)) as served, served.connect() as client:
        client.sendall(GET)
        assert until_closed(client).endswith(b"here")


def test_current_requests_are_answered_when_the_worker_stops() -> None:
    with serving(Limits(arrival_seconds=60, keepalive_seconds=60, stop_seconds=0.5)) as served, ExitStack() as stack:
        working, idle, sending = (stack.enter_context(served.connect()) for _ in range(3))
        working.sendall(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.sendall(GET)
        sending.sendall(b"GET / HT")
        eventually(lambda: len(served.calls) == 2)
        served.loop.stop_accepting()
        assert closed(idle)
        assert closed(sending)
        with pytest.raises(OSError, match=r"[Rr]efused|[Rr]eset"):
            served.get("/")
        assert not served.loop.finished()
        served.gate.set()
        received = until_closed(working)
        assert received.endswith(b"True")
        assert b"Connection: close" in received
        eventually(served.loop.finished)


HOOKS = [
    (channel.Channel, HTTPChannel),
    (parser.Parser, HTTPRequestParser),
    (answers.Answer, Task),
    (answers.Refusal, ErrorTask),
    (loop._Listener, BaseWSGIServer),
]
OURS = {"drop", "observe", "speed", "deadline"}  # called by our loop, not by waitress


@pytest.mark.parametrize(("ours", "theirs"), HOOKS)
def test_overridden_methods_exist_in_waitress(ours: type, theirs: type) -> None:
    names = {name for name in vars(ours) if callable(getattr(ours, name)) and not name.startswith("_")}
    missing = names - OURS - set(dir(theirs))
    assert not missing, "waitress no longer calls these"


def test_unix_socket_is_served(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    with serving(PATIENT, listening=listening), socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert until_closed(client).endswith(b"here")
