"""When a request has arrived, so that a thread is spent on it."""

import pytest

from web.server import LARGE, PEEK, READY, REFUSED, WAIT, arrived

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

CASES = [
    (b"", WAIT),
    (b"GET / HT", WAIT),
    (b"GET / HTTP/1.1\r\nHost: x\r\n", WAIT),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", READY),
    (b"X" * PEEK, REFUSED),
    (POST + b"Content-Length: 3\r\n\r\nab", WAIT),
    (POST + b"content-length:3 \r\n\r\nabc", READY),
    (POST + b"Content-Length: nonsense\r\n\r\n", READY),  # gunicorn refuses it
    (POST + b"X-Not-Content-Length: 9\r\n\r\n", READY),
    (POST + b"Content-Length: 99999999\r\n\r\n" + b"x" * 100, WAIT),
    ((POST + b"Content-Length: 99999999\r\n\r\n" + b"x" * PEEK)[:PEEK], LARGE),
    (CHUNKED + b"2\r\nab\r\n", WAIT),
    (CHUNKED + b"2\r\nab\r\n0\r\n\r\n", READY),
    (CHUNKED + b"0\r\n\r\n", READY),
    ((CHUNKED + b"ffff\r\n" + b"x" * PEEK)[:PEEK], LARGE),
]


@pytest.mark.parametrize(("data", "state"), CASES)
def test_request_is_given_to_a_thread_when_it_is_there(data: bytes, state: str) -> None:
    assert arrived(data) == state
