"""The whole product at work, as its users meet it: two APIs over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.flow.stores import CONTENT, unique_name
from tools.stack import api, commands
from tools.stack.api import AdminApi, ClientApi
from tools.stack.ports import free_port
from tools.stack.product import Addresses, Product, Secrets

STAFF, SHOPPER, PASSWORD = "staff@example.com", "shopper@example.com", "a password of some length"

NewServers = Callable[[], tuple[str, str, str]]  # the fixture new_servers
eventually = partial(api.eventually, within=30)


@dataclass(frozen=True)
class Running:
    """The product's processes and a signed-in user of each service."""

    product: Product
    admin: AdminApi
    client: ClientApi

    def create(self, **fields: str) -> int:
        """Create a product on Admin and return its id."""
        return int(self.admin.create({**CONTENT, "sku": unique_name(), **fields})["id"])

    def arrived(self, product_id: int, **fields: Any) -> bool:
        """Return whether the Client shows ``product_id``, with these fields."""
        if self.client.status(product_id) != 200:
            return False
        shown = self.client.get(product_id)
        return all(shown[name] == value for name, value in fields.items())


@contextmanager
def running(urls: tuple[str, ...], folder: Path) -> Iterator[Running]:
    """Start every process over ``urls`` (database, MongoDB, broker), with a signed-in user of each service."""
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
