"""The product as an operator runs it: metrics on, heartbeat on; one for all tests in this folder, which leave it up."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from stack import commands
from stack.api import AdminApi, ClientApi
from stack.ports import HOST, free_port
from stack.product import Addresses, Product, Secrets
from stack.servers.mariadb import MariaDB
from stack.servers.rabbitmq import RabbitMQ
from stack.servers.secantus import Secantus
from tests.flow.operations.operated import TOKEN, Operated
from tests.flow.running import PASSWORD, SHOPPER, STAFF
from tests.flow.stores import unique_name


@pytest.fixture(scope="package")
def operated(
    rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    name, folder = unique_name(), tmp_path_factory.mktemp("operated")
    urls = (mariadb.create_database(name), secantus.url(name), rabbitmq.create_vhost(name))
    addresses = Addresses(*urls, admin_port=free_port(), client_port=free_port(), flower_port=free_port())
    # Two worker processes each: what one of them counted, the other must know.
    changed = {"METRICS_TOKEN": TOKEN, "WEB_CONCURRENCY": "2"}
    product = Product(addresses, Secrets(), folder=folder, logs=folder / "logs", changed=changed)
    product.relay.env["METRICS_ADDRESS"] = f"{HOST}:{free_port()}"
    product.worker.env["METRICS_ADDRESS"] = f"{HOST}:{free_port()}"
    heartbeat = folder / "relay.heartbeat"
    product.relay.command += ("--heartbeat", str(heartbeat))
    commands.migrate(product.env)
    accounts = [["staff", "add", STAFF], ["shopper", "add", SHOPPER]]
    commands.run_all([([*account, "--password-stdin"], f"{PASSWORD}\n") for account in accounts], product.env)
    try:
        product.start()
        with closing(AdminApi(addresses.admin_url)) as admin, closing(ClientApi(addresses.client_url)) as client:
            admin.sign_in(STAFF, PASSWORD)
            client.sign_in(SHOPPER, PASSWORD)
            yield Operated(product, admin, client, folder, heartbeat)
    finally:
        product.stop()
