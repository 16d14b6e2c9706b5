"""A worker that lives but does not consume a queue is found, over either broker."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.operations.operated import run
from tests.flow.running import eventually
from tests.flow.stores import sqlite_url, unique_name
from tools.stack.ports import free_port
from tools.stack.process import Process
from tools.stack.product import Addresses, Product, Secrets
from tools.stack.servers.secantus import Secantus

NODE = "worker@lockstep"


@pytest.fixture(params=["rabbitmq", "valkey"])
def product(request: pytest.FixtureRequest, secantus: Secantus, tmp_path: Path) -> Iterator[Product]:
    """The product over one of the brokers; its worker runs, and nothing else."""
    broker = request.getfixturevalue(request.param)
    url = broker.create_vhost(unique_name()) if request.param == "rabbitmq" else broker.url()
    urls = (sqlite_url(tmp_path), secantus.url(unique_name()), url)
    addresses = Addresses(*urls, admin_port=free_port(), client_port=free_port(), flower_port=free_port())
    product = Product(addresses, Secrets(), folder=tmp_path, logs=tmp_path / "logs")
    worker: Process = product.worker
    worker.start()
    try:
        worker.wait_ready()
        yield product
    finally:
        worker.stop()


def workers(product: Product) -> dict[str, str]:
    """Return what the doctor says about the workers."""
    done = run(["lockstep", "doctor", "client", "--json"], dict(product.env))
    [finding] = [finding for finding in json.loads(done.stdout)["findings"] if finding["check"] == "workers"]
    return dict(finding)


def health(product: Product, *options: str) -> tuple[int, str]:
    done = run(["lockstep", "health", "worker", "--node", NODE, *options], dict(product.env))
    return done.returncode, done.stdout + done.stderr


def control(product: Product, command: str, queue: str) -> None:
    done = run(["celery", "-A", "tasks", "control", command, queue], dict(product.env))
    assert f"{NODE}: OK" in done.stdout, done.stdout + done.stderr


def test_queue_that_no_worker_consumes_is_named_by_doctor_and_health(product: Product) -> None:
    assert health(product)[0] == 0
    control(product, "cancel_consumer", "client.products")
    eventually(lambda: health(product)[0] == 1)
    code, said = health(product)
    assert (code, "client.products" in said, "client.likes" in said) == (1, True, False)
    assert health(product, "--queues", "client.likes,client.maintenance")[0] == 0
    found = workers(product)
    assert found["state"] == "failed"
    assert found["what"].endswith("; none consumes client.products")
    control(product, "add_consumer", "client.products")
    eventually(lambda: health(product)[0] == 0)
    assert workers(product)["state"] == "ok"
