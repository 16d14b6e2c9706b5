"""Private real servers: each starts when a test first needs it, and ends with the session.

A server that is not installed fails the test that asks for it; nothing is skipped.
"""

import signal
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from tests.log_check import leaks, secrets_of
from tools.stack.process import Process
from tools.stack.product import Product
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.secantus import Secantus
from tools.stack.servers.valkey import Valkey

P = TypeVar("P", bound=Process)


def _running(server: P) -> Iterator[P]:
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session", autouse=True)
def _no_secret_reaches_a_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end, check that no log contains a secret of its process."""
    yield
    logs = tmp_path_factory.getbasetemp().rglob("*.log")
    found = leaks(logs, secrets_of(Product.made))
    assert found == []


@pytest.fixture(scope="session", autouse=True)
def _interrupts_reach_what_we_start() -> None:
    """Restore SIGINT: a shell ignores it in background processes, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _nobody_listens_at_the_broker() -> Iterator[None]:
    """Give this process an unreachable broker; processes under test have their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELERY_BROKER_URL", "amqp://nobody:nothing@127.0.0.1:1//")
        for name in ("RATE_LIMIT", "RATE_LIMIT_SIGN_IN"):  # all tests come from one address
            patch.setenv(name, "off")
        yield


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    yield from _running(RabbitMQ(tmp_path_factory.mktemp("rabbitmq")))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    yield from _running(MariaDB(tmp_path_factory.mktemp("mariadb")))


@pytest.fixture(scope="session")
def secantus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secantus]:
    yield from _running(Secantus(tmp_path_factory.mktemp("secantus")))


@pytest.fixture(scope="session")
def new_servers(mariadb: MariaDB, secantus: Secantus, rabbitmq: RabbitMQ) -> Callable[[], tuple[str, str, str]]:
    """Return what makes an empty database, store and virtual host, and returns their URLs."""

    def make() -> tuple[str, str, str]:
        name = f"t{uuid.uuid4().hex[:12]}"
        return mariadb.create_database(name), secantus.url(name), rabbitmq.create_vhost(name)

    return make


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    yield from _running(Valkey(tmp_path_factory.mktemp("valkey")))
