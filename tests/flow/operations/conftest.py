"""The product with metrics and heartbeat: one for all tests in this folder, which leave it running."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.flow.operations.operated import TOKEN, Operated
from tests.flow.running import PASSWORD, SHOPPER, STAFF, NewServers
from tools.stack import commands
from tools.stack.api import AdminApi, ClientApi
from tools.stack.ports import HOST, free_port
from tools.stack.process import Process, start_all
from tools.stack.product import ROOT, Addresses, Product, Secrets
from tools.stack.readiness import answers_ok


@pytest.fixture(scope="package")
def operated(new_servers: NewServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    folder = tmp_path_factory.mktemp("operated")
    addresses = Addresses(*new_servers(), admin_port=free_port(), client_port=free_port(), flower_port=free_port())
    # Two worker processes each: what one of them counted, the other must know.
    changed = {"METRICS_TOKEN": TOKEN, "WEB_CONCURRENCY": "2"}
    collected, spans = free_port(), folder / "spans.jsonl"
    changed |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{collected}", "OTEL_BSP_SCHEDULE_DELAY": "200"}
    collector = Process(
        "collector",
        [sys.executable, "-m", "tests.flow.operations.otlp_receiver", str(collected), str(spans)],
        log=folder / "collector.log",
        env=dict(os.environ),
        cwd=ROOT,
        ready=lambda: answers_ok(collected, "/"),
    )
    product = Product(addresses, Secrets(), folder=folder, logs=folder / "logs", changed=changed)
    product.relay.env["METRICS_ADDRESS"] = f"{HOST}:{free_port()}"
    product.worker.env["METRICS_ADDRESS"] = f"{HOST}:{free_port()}"
    commands.migrate(product.env)
    accounts = [["staff", "add", STAFF], ["shopper", "add", SHOPPER]]
    commands.run_all([([*account, "--password-stdin"], f"{PASSWORD}\n") for account in accounts], product.env)
    try:
        start_all([collector])
        product.start()
        with closing(AdminApi(addresses.admin_url)) as admin, closing(ClientApi(addresses.client_url)) as client:
            admin.sign_in(STAFF, PASSWORD)
            client.sign_in(SHOPPER, PASSWORD)
            yield Operated(product, admin, client, folder, spans)
    finally:
        product.stop()
        collector.stop()
