"""The whole product at work, as its users meet it: two APIs over HTTP."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from stack import api
from stack.api import AdminApi, ClientApi
from stack.product import Product
from tests.flow.stores import CONTENT, unique_name

STAFF, SHOPPER, PASSWORD = "staff@example.com", "shopper@example.com", "a password of some length"

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
