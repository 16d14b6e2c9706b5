"""What the doctor says is fit to be pasted into a ticket, and names what has to be changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from contract.config import BrokerSettings
from lockstep.doctor import host, other_service
from lockstep.doctor.findings import failed
from tests.unit.admin.catalogue import KEYS


def test_secrets_of_the_settings_are_masked_in_what_a_driver_quotes() -> None:
    BrokerSettings(celery_broker_url=SecretStr("amqp://lockstep:hunter22@there:5672//"))
    finding = failed("broker", "cannot use amqp://lockstep:hunter22@there:5672//, hunter22 refused", "Repair it.")
    assert finding.masked().what == "cannot use amqp://lockstep:********@there:5672//, ******** refused"


def test_base_url_with_a_path_is_named_before_any_call_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_ADMIN_URL", "https://shop.example/admin")
    found = [finding.what for finding in host.settings(["client"], {})]
    assert any(what.startswith("CLIENT_ADMIN_URL: must have no path") for what in found)


class _Refuses(BaseHTTPRequestHandler):
    """A service behind a proxy that changed the path: to it, the signature is of another call."""

    def do_POST(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def _refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refuses) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_refused_signature_is_blamed_on_the_keys_or_on_a_proxy_that_changes_paths() -> None:
    with _refusing() as url:
        [finding] = [one for one in other_service.ping("client", url, SecretStr(KEYS)) if one.check == "client service"]
    assert "SERVICE_KEYS" in finding.cure
    assert f"a proxy on the way to ADMIN_CLIENT_URL ({url}) changes paths" in finding.cure
