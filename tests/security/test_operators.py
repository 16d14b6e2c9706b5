"""The broker and Flower require a configured user, and operators' tools show no secrets."""

import subprocess
from pathlib import Path

import amqp
import pytest
import requests

from tests.flow.running import PASSWORD, eventually
from tests.log_check import PATTERNS, secrets_of
from tests.security.callers import TIMEOUT
from tests.security.conftest import System
from tools.stack.product import ROOT
from tools.stack.servers.rabbitmq import RabbitMQ


@pytest.mark.parametrize(("user", "password"), [("guest", "guest"), ("lockstep", "lockstep"), ("lockstep", "")])
def test_broker_refuses_default_users(rabbitmq: RabbitMQ, user: str, password: str) -> None:
    connection = amqp.Connection(f"127.0.0.1:{rabbitmq.port}", user, password, connect_timeout=5)
    with pytest.raises((amqp.AccessRefused, OSError)):
        connection.connect()
    connection.collect()


def test_flower_accepts_only_its_user(system: System) -> None:
    url = system.running.product.addresses.flower_url
    user, _, password = system.running.product.env["FLOWER_BASIC_AUTH"].partition(":")
    for path in ("/", "/api/tasks", "/api/workers", "/broker"):
        assert requests.get(f"{url}{path}", timeout=TIMEOUT).status_code == 401
        assert requests.get(f"{url}{path}", auth=(user, "wrong"), timeout=TIMEOUT).status_code == 401
    assert requests.get(f"{url}/api/workers", auth=(user, password), timeout=TIMEOUT).status_code == 200


def test_flower_shows_no_secret(system: System) -> None:
    url = system.running.product.addresses.flower_url
    user, _, password = system.running.product.env["FLOWER_BASIC_AUTH"].partition(":")
    product_id = system.running.create()
    eventually(lambda: system.running.arrived(product_id))
    system.running.client.like(product_id)

    def shown() -> str:
        paths = ("/api/tasks?limit=1000", "/api/workers?refresh=1", "/tasks", "/workers")
        return "".join(requests.get(f"{url}{path}", auth=(user, password), timeout=TIMEOUT).text for path in paths)

    eventually(lambda: "tasks.sync_product" in shown())
    text = shown()
    assert [secret for secret in secrets_of([system.running.product]) if secret in text] == []
    assert [pattern.pattern for pattern in PATTERNS if pattern.search(text)] == []


def test_doctor_masks_every_secret(system: System) -> None:
    env = system.running.product.env
    lockstep = Path(env["PATH"].partition(":")[0]) / "lockstep"
    done = subprocess.run([lockstep, "doctor"], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("********") >= 6
    assert [secret for secret in secrets_of([system.running.product]) if secret in done.stdout + done.stderr] == []


def test_errors_reveal_no_internals(system: System) -> None:
    told = [
        requests.get(
            f"{base}{path}", headers={"Authorization": f"Bearer {system.tokens['viewer']}"}, timeout=TIMEOUT
        ).text
        for base in (system.admin_url, system.client_url)
        for path in (
            "/api/v1/products?cursor=x",
            "/api/v1/nowhere",
            "/api/v1/products/999999",
            "/service/v1/likes/digest",
        )
    ]
    for text in told:
        for inside in ("Traceback", 'File "', "sqlalchemy", "pymysql", "pymongo", "gunicorn", PASSWORD, str(ROOT)):
            assert inside not in text
