"""``/metrics`` of processes without a web service: on any address, only with the token."""

import socket

import pytest
import requests
from pydantic import SecretStr

from runtime.metrics import MetricsSettings
from runtime.metrics_server import MetricsServer

TOKEN = "t" * 40


def free_port(host: str, family: socket.AddressFamily) -> int:
    with socket.create_server((host, 0), family=family) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("written", "host", "family"),
    [("127.0.0.1", "127.0.0.1", socket.AF_INET), ("[::1]", "::1", socket.AF_INET6)],
)
def test_metrics_are_served_by_ipv4_and_ipv6(written: str, host: str, family: socket.AddressFamily) -> None:
    address = f"{written}:{free_port(host, family)}"
    server = MetricsServer(MetricsSettings(metrics_token=SecretStr(TOKEN), metrics_address=address))
    server.start()
    try:
        url = f"http://{address}/metrics"
        assert requests.get(url, timeout=5).status_code == 401
        answer = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5)
        assert "sync_attempts_total" in answer.text
    finally:
        server.close_here()
