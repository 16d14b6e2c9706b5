"""How many times Admin asks its database for one call of its REST API, whatever for: each costs both ends CPU."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from admin.accounts import tokens
from admin.accounts.models import EDITOR
from admin.accounts.service import add_staff
from tests.flow.stores import CONTENT, admin_on, unique_name
from tools.faults.proxy import Proxy
from tools.stack.servers.mariadb import MariaDB

PRODUCTS = "/api/v1/products"


@pytest.fixture
def network(mariadb: MariaDB) -> Iterator[Proxy]:
    with Proxy(mariadb.port) as proxy:
        yield proxy


@pytest.fixture
def app(mariadb: MariaDB, network: Proxy) -> Iterator[Flask]:
    url = make_url(mariadb.create_database(unique_name())).set(port=network.port)
    with admin_on(url.render_as_string(hide_password=False)) as app:
        yield app


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    client = app.test_client()
    with app.test_request_context():
        token = tokens.issue(add_staff("editor@example.com", "a password of some length", EDITOR))["access_token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


@pytest.fixture
def product(editor: FlaskClient) -> str:
    """The path of a product. Now the connection is open, and the token's signature verified."""
    return str(editor.post(PRODUCTS, json=content("FIRST")).headers["Location"])


def content(sku: str) -> dict[str, str]:
    return {**CONTENT, "sku": sku, "price": "12.50"}


def round_trips(network: Proxy, call: Callable[[], TestResponse]) -> int:
    """Return how many commands of any kind, commits and rollbacks too, were sent to the server for ``call``."""
    before = network.requests
    assert call().status_code < 300
    return network.requests - before


@pytest.mark.usefixtures("product")
def test_create_is_five_round_trips(network: Proxy, editor: FlaskClient) -> None:
    assert round_trips(network, lambda: editor.post(PRODUCTS, json=content("SECOND"))) == 5


def test_update_is_five_round_trips(network: Proxy, editor: FlaskClient, product: str) -> None:
    change = {"price": "13.00"}
    assert round_trips(network, lambda: editor.patch(product, json=change, headers={"If-Match": "*"})) == 5


def test_new_title_with_its_search_terms_is_five_round_trips(network: Proxy, editor: FlaskClient, product: str) -> None:
    change = {"title": "Blue bowl"}
    assert round_trips(network, lambda: editor.patch(product, json=change, headers={"If-Match": "*"})) == 5


def test_delete_is_four_round_trips(network: Proxy, editor: FlaskClient, product: str) -> None:
    assert round_trips(network, lambda: editor.delete(product, headers={"If-Match": "*"})) == 4


@pytest.mark.parametrize(("headers", "most"), [({}, 10), ({"Idempotency-Key": "k"}, 16)])
@pytest.mark.usefixtures("product")
def test_batch_is_the_same_number_of_round_trips_whatever_its_size(
    network: Proxy, editor: FlaskClient, headers: dict[str, str], most: int
) -> None:
    found = set()
    for size in (6, 60, 480):
        old = [f"OLD-{size}-{number}" for number in range(size // 3 * 2)]
        batch(editor, [{"action": "create", "product": content(sku)} for sku in old])
        change = {"version": "*", "product": {"title": "Blue bowl"}}
        items = [{"action": "update", "sku": sku, **change} for sku in old[::2]]
        items += [{"action": "delete", "sku": sku, "version": 1} for sku in old[1::2]]
        items += [{"action": "create", "product": content(f"NEW-{size}-{number}")} for number in range(size // 3)]
        keyed = {name: f"{key}{size}" for name, key in headers.items()}
        found.add(round_trips(network, lambda items=items, keyed=keyed: batch(editor, items, keyed)))  # type: ignore[misc]
    [count] = found
    assert count <= most


def batch(editor: FlaskClient, items: list[dict[str, Any]], headers: dict[str, str] | None = None) -> TestResponse:
    answer = editor.post(f"{PRODUCTS}/batch", json={"items": items}, headers=headers)
    assert answer.get_json()["refused"] == 0
    return answer
