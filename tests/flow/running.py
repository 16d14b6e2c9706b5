"""The whole product at work, as its users meet it: two APIs over HTTP."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from stack.product import Product
from tests.flow.stores import CONTENT

TIMEOUT = 20  # seconds per call
STAFF, SHOPPER, PASSWORD = "staff@example.com", "shopper@example.com", "a password of some length"


def eventually(holds: Callable[[], Any], within: float = 30, what: str = "") -> Any:
    """Return the first truthy value of ``holds``; fail when there is none within so many seconds."""
    deadline = time.monotonic() + within
    while True:
        if value := holds():
            return value
        assert time.monotonic() < deadline, f"{what or 'it'} did not happen within {within} s"
        time.sleep(0.05)


class Api:
    """One service's REST API, signed in."""

    def __init__(self, base_url: str, email: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        answer = self.session.post(
            f"{base_url}/api/v1/auth/token", json={"email": email, "password": PASSWORD}, timeout=TIMEOUT
        )
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.base_url}{path}", timeout=TIMEOUT, **options)


class AdminApi(Api):
    """What staff do."""

    def create(self, sku: str, **fields: str) -> int:
        answer = self.call("POST", "/api/v1/products", json={**CONTENT, "sku": sku, **fields})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def product(self, product_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/v1/products/{product_id}").json()
        return found

    def update(self, product_id: int, **fields: str) -> None:
        answer = self.call("PATCH", f"/api/v1/products/{product_id}", json=fields, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text

    def delete(self, product_id: int) -> None:
        answer = self.call("DELETE", f"/api/v1/products/{product_id}", headers={"If-Match": "*"})
        assert answer.status_code == 204, answer.text


class ClientApi(Api):
    """What shoppers do."""

    def status(self, product_id: int) -> int:
        return self.call("GET", f"/api/v1/products/{product_id}").status_code

    def product(self, product_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/v1/products/{product_id}").json()
        return found

    def like(self, product_id: int, liked: bool = True) -> None:
        answer = self.call("PUT" if liked else "DELETE", f"/api/v1/products/{product_id}/likes/me")
        assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Running:
    """The product's processes and a signed-in user of each service."""

    product: Product
    admin: AdminApi
    client: ClientApi

    def arrived(self, product_id: int, **fields: Any) -> bool:
        """Return whether the Client shows ``product_id`` with these fields."""
        shown = self.client.product(product_id)
        return all(shown.get(name) == value for name, value in fields.items())
