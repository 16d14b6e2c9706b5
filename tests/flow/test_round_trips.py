"""How many times Admin asks its database for one call of its REST API, whatever for: each costs both ends CPU."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from admin.accounts import tokens
from admin.accounts.models import EDITOR
from admin.accounts.service import add_staff
from admin.db.extensions import db
from tests.flow.stores import CONTENT, admin_on, unique_name
from tools.stack.servers.mariadb import MariaDB

PRODUCTS = "/api/v1/products"


@pytest.fixture
def app(mariadb: MariaDB) -> Iterator[Flask]:
    with admin_on(mariadb.create_database(unique_name())) as app:
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


def round_trips(app: Flask, call: Callable[[], TestResponse]) -> int:
    """Return how many commands of any kind, commits and rollbacks too, the server got for ``call``."""
    before = _commands(app)
    assert call().status_code < 300
    return _commands(app) - before - _EACH


_EACH = 2  # the question below, and the rollback after it


def _commands(app: Flask) -> int:
    with app.app_context(), db.engine.connect() as connection:
        return int(connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Questions'").one()[1])


@pytest.mark.usefixtures("product")
def test_create_is_seven_round_trips(app: Flask, editor: FlaskClient) -> None:
    assert round_trips(app, lambda: editor.post(PRODUCTS, json=content("SECOND"))) == 7


def test_update_is_eight_round_trips(app: Flask, editor: FlaskClient, product: str) -> None:
    change = {"price": "13.00"}
    assert round_trips(app, lambda: editor.patch(product, json=change, headers={"If-Match": "*"})) == 8


def test_delete_is_seven_round_trips(app: Flask, editor: FlaskClient, product: str) -> None:
    assert round_trips(app, lambda: editor.delete(product, headers={"If-Match": "*"})) == 7


@pytest.mark.parametrize(("headers", "most"), [({}, 12), ({"Idempotency-Key": "k"}, 18)])
@pytest.mark.usefixtures("product")
def test_batch_is_the_same_number_of_round_trips_whatever_its_size(
    app: Flask, editor: FlaskClient, headers: dict[str, str], most: int
) -> None:
    found = set()
    for size in (3, 60, 480):
        old = [f"OLD-{size}-{number}" for number in range(size // 3 * 2)]
        batch(editor, [{"action": "create", "product": content(sku)} for sku in old])
        change = {"version": "*", "product": {"title": "Blue bowl"}}
        items = [{"action": "update", "sku": sku, **change} for sku in old[::2]]
        items += [{"action": "delete", "sku": sku, "version": 1} for sku in old[1::2]]
        items += [{"action": "create", "product": content(f"NEW-{size}-{number}")} for number in range(size // 3)]
        keyed = {name: f"{key}{size}" for name, key in headers.items()}
        found.add(round_trips(app, lambda items=items, keyed=keyed: batch(editor, items, keyed)))  # type: ignore[misc]
    [count] = found
    assert count <= most


def batch(editor: FlaskClient, items: list[dict[str, Any]], headers: dict[str, str] | None = None) -> TestResponse:
    answer = editor.post(f"{PRODUCTS}/batch", json={"items": items}, headers=headers)
    assert answer.get_json()["refused"] == 0
    return answer
