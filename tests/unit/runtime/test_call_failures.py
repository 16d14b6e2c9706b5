"""The short reason of a failed call."""

import socket

import pytest
import requests

from runtime.call_failures import reason


def called(address: str) -> str:
    with pytest.raises(requests.RequestException) as raised:
        requests.get(f"http://{address}/", timeout=0.2)
    return reason(raised.value)


def test_reason_is_short_and_without_the_wrapping_exceptions() -> None:
    assert called("127.0.0.1:1") == "Connection refused"
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts and does not answer
        assert called(f"127.0.0.1:{server.getsockname()[1]}") == "timed out"
    assert reason(ValueError("a secret")) == "ValueError"
