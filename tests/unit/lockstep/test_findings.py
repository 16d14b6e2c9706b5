"""The doctor's findings can be pasted into a ticket, and name what to change."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from contract.config import BrokerSettings
from lockstep.doctor import other_service
from lockstep.doctor.findings import failed
from lockstep.doctor.settings import check_settings
from tests.unit.admin.catalogue import KEYS


def test_secrets_in_the_message_of_a_driver_are_masked() -> None:
    BrokerSettings(celery_broker_url=SecretStr("amqp://lockstep:hunter22@there:5672//"))
    finding = failed("broker", "cannot use amqp://lockstep:hunter22@there:5672//, hunter22 refused", "Repair it.")
    assert finding.masked().what == "cannot use amqp://lockstep:********@there:5672//, ******** refused"


def test_base_url_with_a_path_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_ADMIN_URL", "https://shop.example/admin")
    found = [finding.what for finding in check_settings(["client"], {})]
    assert any(what.startswith("CLIENT_ADMIN_URL: must have no path") for what in found)


class _Refuses(BaseHTTPRequestHandler):
    """A service behind a proxy that changed the path: the signature does not match."""

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


def test_refused_signature_names_the_keys_and_a_proxy_that_changes_paths() -> None:
    with _refusing() as url:
        [finding] = [one for one in other_service.ping("client", url, SecretStr(KEYS)) if one.check == "client service"]
    assert "SERVICE_KEYS" in finding.fix
    assert f"a proxy on the way to ADMIN_CLIENT_URL ({url}) changes paths" in finding.fix
