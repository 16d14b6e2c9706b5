"""The product over the production servers, started once for all flow tests."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from stack import commands
from stack.api import AdminApi, ClientApi
from stack.ports import free_port
from stack.product import Addresses, Product, Secrets
from stack.servers.mariadb import MariaDB
from stack.servers.rabbitmq import RabbitMQ
from stack.servers.secantus import Secantus
from stack.servers.valkey import Valkey
from tests.flow.running import PASSWORD, SHOPPER, STAFF, Running
from tests.flow.stores import sqlite_url, unique_name


@pytest.fixture(scope="session")
def production(
    rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """RabbitMQ, MariaDB and a MongoDB-wire server: what production uses."""
    name = unique_name()
    urls = (mariadb.create_database(name), secantus.url(name), rabbitmq.create_vhost(name))
    with _running(urls, tmp_path_factory.mktemp("production")) as running:
        yield running


@pytest.fixture
def apart(rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, tmp_path: Path) -> Iterator[Running]:
    """The same servers with databases and processes of the test's own, to be broken at will."""
    name = unique_name()
    urls = (mariadb.create_database(name), secantus.url(name), rabbitmq.create_vhost(name))
    with _running(urls, tmp_path) as running:
        yield running


@pytest.fixture
def embedded(secantus: Secantus, valkey: Valkey, tmp_path: Path) -> Iterator[Running]:
    """SQLite, a MongoDB-wire server and Valkey: what the demo uses."""
    with _running((sqlite_url(tmp_path), secantus.url(unique_name()), valkey.url()), tmp_path) as running:
        yield running


@contextmanager
def _running(urls: tuple[str, str, str], folder: Path) -> Iterator[Running]:
    addresses = Addresses(*urls, admin_port=free_port(), client_port=free_port(), flower_port=free_port())
    product = Product(addresses, Secrets(), folder=folder, logs=folder / "logs")
    commands.migrate(product.env)
    accounts = [["staff", "add", STAFF], ["shopper", "add", SHOPPER]]
    commands.run_all([([*account, "--password-stdin"], f"{PASSWORD}\n") for account in accounts], product.env)
    try:
        product.start()
        admin, client = AdminApi(addresses.admin_url), ClientApi(addresses.client_url)
        with closing(admin), closing(client):
            admin.sign_in(STAFF, PASSWORD)
            client.sign_in(SHOPPER, PASSWORD)
            yield Running(product, admin, client)
    finally:
        product.stop()
