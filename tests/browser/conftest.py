"""The product over the production servers, and Debian's Chromium before it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.console import ROLES, Console, Exhibits
from tests.browser.guard import Guard
from tests.browser.shop import Shop
from tests.flow.running import PASSWORD, NewServers, Running, eventually, running
from tools.stack import commands
from tools.stack.browser import LAUNCH, LOOKS
from tools.stack.product import ROOT

expect.set_options(timeout=10_000)  # what takes a second takes longer beside other tests


@pytest.fixture(scope="session")
def product(new_servers: NewServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Every process of Lockstep over RabbitMQ, MariaDB and a MongoDB-wire server."""
    with running(new_servers(), tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="session")
def shop(product: Running) -> Shop:
    """The same product with the sample catalogue on its shelves."""
    commands.Command(["import", str(ROOT / "tools" / "samples" / "catalogue.csv")], product.product.env).finish()
    eventually(lambda: len(product.client.list(limit=50)) >= 48, what="the catalogue at the Client")
    return Shop(product)


@pytest.fixture(scope="session")
def console(product: Running) -> Console:
    """The same product's console, with an owner and a viewer beside STAFF, who is an editor."""
    accounts = [["staff", "add", email, "--role", role, "--password-stdin"] for role, email in ROLES.items()]
    commands.run_all([(account, f"{PASSWORD}\n") for account in accounts], product.product.env)
    return Console(product)


@pytest.fixture(scope="session")
def exhibits(console: Console) -> Exhibits:
    return console.exhibits()


@pytest.fixture(scope="session")
def base_url() -> None:
    """There are two services, so tests write addresses out. (The plugin's own fixture is deprecated by pytest.)"""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | LAUNCH


@pytest.fixture
def look(request: pytest.FixtureRequest) -> str:
    """How pages are shown, one of LOOKS; ``@pytest.mark.parametrize("look", [...], indirect=True)`` sets it."""
    return str(getattr(request, "param", "desktop-light"))


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], look: str) -> dict[str, Any]:
    return browser_context_args | LOOKS[look]


@pytest.fixture
def guard(product: Running) -> Iterator[Guard]:
    """Fails the test when a page logs an error, a request fails, or one goes to another host."""
    addresses = product.product.addresses
    urls = (addresses.admin_url, addresses.client_url, addresses.flower_url)
    watching = Guard({url.removeprefix("http://") for url in urls})
    yield watching
    watching.check()


@pytest.fixture
def new_context(new_context: Callable[..., BrowserContext], guard: Guard) -> Callable[..., BrowserContext]:
    """Every page of every test is watched."""

    def watched(**options: Any) -> BrowserContext:
        context = new_context(**options)
        guard.watch(context)
        return context

    return watched
