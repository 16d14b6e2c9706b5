"""One running product for all fault tests, with a proxy on each connection."""

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
    """Inject the given fault under load; fail where anything is lost, applied twice or resurrected."""

    def check(fault: Fault, **options: object) -> Result:
        seed = random.randrange(1 << 32)
        result = trial(tried, request.node.name, fault, seed=seed, **options)  # type: ignore[arg-type]
        if not result.fine:
            pytest.fail(str(result), pytrace=False)  # it names the seed
        return result

    return check
