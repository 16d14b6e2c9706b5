"""The product over the servers of this run, with proxies between, once for all fault tests."""

import random
from collections.abc import Callable, Iterator

import pytest

from tools.faults.trial import Fault, Result, trial
from tools.faults.world import Servers, World, world
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.secantus import Secantus

Survives = Callable[..., Result]


@pytest.fixture(scope="session")
def tried(
    rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with world(Servers(rabbitmq, mariadb, secantus), tmp_path_factory.mktemp("faults"), "faults") as running:
        yield running


@pytest.fixture
def survives(tried: World, request: pytest.FixtureRequest) -> Survives:
    """Call with a fault: it is done under load, and nothing may be lost, applied twice or resurrected by it."""

    def check(fault: Fault, **options: object) -> Result:
        seed = random.randrange(1 << 32)
        result = trial(tried, request.node.name, fault, seed=seed, **options)  # type: ignore[arg-type]
        if not result.fine:
            pytest.fail(str(result), pytrace=False)  # it names the seed
        return result

    return check
