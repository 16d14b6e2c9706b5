"""``lockstep doctor`` on broken set-ups: it names each fault and how to fix it.

Faults that cannot hide each other are planted together, because every run starts an interpreter.
"""

import json
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue

from tests.flow.operations.operated import Operated, run
from tests.flow.stores import sqlite_url, unique_name
from tests.log_check import secrets_of
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.secantus import Secantus

STORES = ("ADMIN_DATABASE_URL", "CLIENT_MONGODB_URL", "CELERY_BROKER_URL")
PARTS = ("admin database", "client store", "broker")
UNREACHABLE = "127.0.0.1:1"  # nothing listens there


@pytest.fixture(scope="module", autouse=True)
def _worker_has_run_a_task_of_beat(operated: Operated) -> None:
    operated.await_beat()


def ask(operated: Operated, *services: str, **changed: str) -> tuple[int, list[dict[str, str]]]:
    """Return the doctor's exit code and the findings that are not ok, with some settings ``changed``."""
    done = operated.lockstep("doctor", *services, "--json", **changed)
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    assert not [secret for secret in secrets_of([operated.product]) if secret in done.stdout + done.stderr]
    found = json.loads(done.stdout)["findings"]
    return done.returncode, [finding for finding in found if finding["state"] != "ok"]


def only(found: list[dict[str, str]], check: str) -> dict[str, str]:
    [finding] = [finding for finding in found if finding["check"] == check]
    assert finding["fix"]
    return finding


def test_working_set_up_has_no_findings(operated: Operated) -> None:
    said = operated.lockstep("doctor")
    assert (said.returncode, "Nothing is wrong." in said.stdout) == (0, True), said.stdout
    for part in (*PARTS, "queue client.products", "client service", "admin service", "relay", "beat and worker"):
        assert f"ok      {part}: " in said.stdout


def test_host_of_one_service_needs_only_that_services_settings(operated: Operated) -> None:
    env = {key: value for key, value in operated.product.env.items() if not key.startswith("ADMIN_")}
    done = run(["lockstep", "doctor"], env)
    assert done.returncode == 0, done.stdout
    assert "client store" in done.stdout
    assert "admin database" not in done.stdout


def test_servers_that_refuse_or_never_answer_are_named_with_their_setting(operated: Operated) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # as a frozen process: the kernel still accepts for it
        silent = f"127.0.0.1:{server.getsockname()[1]}"
        addresses = zip(STORES, (silent, UNREACHABLE, silent), strict=True)
        env = operated.product.env
        elsewhere = {name: re.sub(r"127\.0\.0\.1:\d+", address, env[name]) for name, address in addresses}
        code, found = ask(operated, **elsewhere, ADMIN_CLIENT_URL=f"http://{UNREACHABLE}")
    assert code == 4
    assert sorted(finding["check"] for finding in found) == sorted((*PARTS, "client service"))
    for check, setting in zip(PARTS, STORES, strict=True):
        assert f"in {setting} as seen from this host" in only(found, check)["fix"]
    assert "correct ADMIN_CLIENT_URL" in only(found, "client service")["fix"]


def test_wrong_passwords_different_keys_readable_secrets_and_misspelt_settings_are_named(operated: Operated) -> None:
    env = operated.product.env
    wrong = {name: re.sub(r"@(?=127)", "x@", env[name]) for name in ("ADMIN_DATABASE_URL", "CELERY_BROKER_URL")}
    wrong |= {"SERVICE_KEYS": f"stack:{'w' * 40}", "CLIENT_MONGO_URL": "mongodb://there/db"}
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others, and so would a secret be
        Path(name).chmod(0o755)
        secret = Path(name) / "key"
        secret.write_text("k" * 40, encoding="utf-8")
        secret.chmod(0o644)
        code, found = ask(operated, **wrong, ADMIN_SECRET_KEY_FILE=str(secret))
        assert only(found, "secret files")["fix"] == f"chmod o-rwx {secret}"
    assert code == 2
    assert only(found, "settings")["what"] == "CLIENT_MONGO_URL is not a setting"
    assert "The user or password in ADMIN_DATABASE_URL" in only(found, "admin database")["fix"]
    assert "The user, password or virtual host in CELERY_BROKER_URL" in only(found, "broker")["fix"]
    for service in ("client service", "admin service"):
        assert "refuses our signature" in only(found, service)["what"]
        assert "same SERVICE_KEYS" in only(found, service)["fix"]


def test_wrong_setting_wrong_url_empty_store_and_foreign_queue_are_named(
    operated: Operated, rabbitmq: RabbitMQ, secantus: Secantus
) -> None:
    broker = rabbitmq.create_vhost(unique_name())
    with Connection(broker) as connection, connection.channel() as channel:
        Queue("client.products", channel=channel, durable=True).declare()  # a classic one
    changed = {"CLIENT_MONGODB_URL": secantus.url(unique_name()), "CELERY_BROKER_URL": broker}
    changed |= {"ADMIN_SECRET_KEY": "short", "CLIENT_ADMIN_URL": operated.product.addresses.client_url}
    code, found = ask(operated, **changed)
    assert code == 2
    assert "ADMIN_SECRET_KEY: must have at least 32" in only(found, "settings of admin")["what"]
    skipped = [finding["check"] for finding in found if finding["state"] == "skipped"]
    assert skipped == ["admin database", "client service"]
    assert "CLIENT_ADMIN_URL" in only(found, "admin service")["fix"]
    assert only(found, "client migrations")["fix"] == "lockstep migrate client"
    assert "inequivalent arg" in only(found, "queue client.products")["what"]
    assert "rabbitmqctl delete_queue client.products" in only(found, "queue client.products")["fix"]
    assert "Start 'celery -A tasks worker'" in only(found, "workers")["fix"]


def test_processes_that_never_ran_and_a_clock_that_is_ahead_are_named(
    operated: Operated, secantus: Secantus, tmp_path: Path
) -> None:
    fresh = {"ADMIN_DATABASE_URL": sqlite_url(tmp_path), "CLIENT_MONGODB_URL": secantus.url(unique_name())}
    for service in ("admin", "client"):
        assert operated.lockstep("migrate", service, **fresh).returncode == 0
    with _clock_ahead() as client_url:
        code, found = ask(operated, **fresh, ADMIN_CLIENT_URL=client_url)
    assert code == 1
    assert "Start 'lockstep relay'" in only(found, "relay")["fix"]
    assert "celery -A tasks beat" in only(found, "beat and worker")["fix"]
    # The Client refuses the signature because of the time: the finding names the clock and not the keys.
    assert "s ahead of this host's" in only(found, "client service's clock")["what"]
    assert not [finding for finding in found if finding["check"] == "client service"]


class _InTenMinutes(BaseHTTPRequestHandler):
    """A Client whose clock is ten minutes ahead: it refuses every signature."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + 600)

    def do_POST(self) -> None:
        self.send_response(401)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def _clock_ahead() -> Iterator[str]:
    """Yield the URL of such a Client."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _InTenMinutes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
