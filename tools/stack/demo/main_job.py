"""The demonstration by the public APIs: three changes arrive at the Client, and a like at Admin."""

import secrets
import time
from collections.abc import Callable

import requests

from tools.stack.api import AdminApi, ClientApi, eventually
from tools.stack.demo.accounts import ROBOT
from tools.stack.demo.screen import Screen
from tools.stack.errors import StackError
from tools.stack.product import Addresses

_STEP_TIMEOUT = 30  # seconds


def show(addresses: Addresses, password: str, screen: Screen) -> None:
    """Do four steps; print each with the milliseconds from the request until it is visible. Raises StackError."""
    admin, client = AdminApi(addresses.admin_url), ClientApi(addresses.client_url)
    try:
        admin.sign_in(ROBOT, password)
        client.sign_in(ROBOT, password)
        _show_steps(admin, client, screen)
    except requests.RequestException as error:
        raise StackError(f"a service did not answer: {error}") from error
    finally:
        admin.close()
        client.close()


def _show_steps(admin: AdminApi, client: ClientApi, screen: Screen) -> None:
    start = time.monotonic()
    product = admin.create(
        {
            "sku": f"DEMO-{secrets.token_hex(4)}",
            "title": "Demo mug",
            "price": "12.50",
            "currency": "EUR",
            "category": "Demo",
        }
    )
    product_id = int(product["id"])

    def step(what: str, seen: Callable[[], bool]) -> None:
        eventually(seen, within=_STEP_TIMEOUT, what=what)
        screen.line(f"  {what:<58} {(time.monotonic() - start) * 1000:6.0f} ms")

    step(f"1  product {product_id} created on Admin, visible at the Client", lambda: client.status(product_id) == 200)
    start = time.monotonic()
    admin.update(product_id, price="9.90")
    step("2  its price changed on Admin, visible at the Client", lambda: client.get(product_id)["price"] == "9.90")
    start = time.monotonic()
    client.like(product_id)
    step("3  liked at the Client, counted on Admin", lambda: bool(admin.get(product_id)["likes"] == 1))
    start = time.monotonic()
    admin.delete(product_id)
    step("4  deleted on Admin, deleted at the Client", lambda: client.status(product_id) == 410)
