"""What the tests of Admin share: an app on a file, a signed-in caller, and a look at the tables."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import Executable, func, select, update
from werkzeug.test import TestResponse

from admin import create_app
from admin.catalogue.models import Product
from admin.config import AdminSettings
from admin.db.extensions import db
from admin.outbox.models import VERIFIED, ProductChange, Replication

PASSWORD = "a password of staff"
SECRET = "s" * 40
KEYS = "k1:" + "a" * 40
PRODUCTS = "/api/v1/products"

CONTENT = {
    "sku": "MUG-1",
    "title": "Red mug",
    "description": "Holds tea.\nKeeps it warm.",
    "price": "12.50",
    "currency": "EUR",
    "category": "Kitchen",
    "image_url": "https://example.com/mug.png",
}


def settings_of(database: Path) -> AdminSettings:
    return AdminSettings(
        admin_database_url=SecretStr(f"sqlite:///{database}"),
        admin_secret_key=SecretStr(SECRET),
        admin_client_url="http://127.0.0.1:1",
        service_keys=SecretStr(KEYS),
    )


def admin_on(database: Path) -> Flask:
    return create_app(settings_of(database))


def set_environment(patch: pytest.MonkeyPatch, database_url: str) -> None:
    """Set the environment of Admin's commands."""
    patch.setenv("ADMIN_DATABASE_URL", database_url)
    patch.setenv("ADMIN_SECRET_KEY", SECRET)
    patch.setenv("ADMIN_CLIENT_URL", "http://127.0.0.1:1")
    patch.setenv("SERVICE_KEYS", KEYS)


def dispose(app: Flask) -> None:
    """Close every connection of ``app``."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def change(app: Flask, *statements: Executable) -> None:
    """Execute statements and commit, as another process does."""
    with app.app_context():
        for statement in statements:
            db.session.execute(statement)
        db.session.commit()


VERIFY_ALL = update(Replication).values(state=VERIFIED, pending_since=None, due_at=None)


class Api:
    """A signed-in caller of the catalogue's API."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self._client, self.authorization = client, {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        return self._client.open(path, method=method, headers={**self.authorization, **(headers or {})}, **options)

    def create(self, **content: Any) -> dict[str, Any]:
        """Create a product that differs from CONTENT in ``content``; return it as answered."""
        answer = self.call("POST", PRODUCTS, json={**CONTENT, **content})
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def show(self, product_id: int) -> TestResponse:
        return self.call("GET", f"{PRODUCTS}/{product_id}")

    def patch(self, product_id: int, if_match: str | None, **changes: Any) -> TestResponse:
        return self.call("PATCH", f"{PRODUCTS}/{product_id}", _if_match(if_match), json=changes)

    def delete(self, product_id: int, if_match: str | None = "*") -> TestResponse:
        return self.call("DELETE", f"{PRODUCTS}/{product_id}", _if_match(if_match))

    def restore(self, product_id: int, if_match: str | None = "*") -> TestResponse:
        return self.call("POST", f"{PRODUCTS}/{product_id}/restore", _if_match(if_match))

    def listed(self, **query: Any) -> TestResponse:
        return self.call("GET", PRODUCTS, query_string=query)

    def skus(self, **query: Any) -> list[str]:
        answer = self.listed(**query)
        assert answer.status_code == 200, answer.text
        return [item["sku"] for item in answer.get_json()["items"]]


def _if_match(tag: str | None) -> dict[str, str]:
    return {} if tag is None else {"If-Match": tag}


def row_counts(app: Flask) -> dict[str, int]:
    """How many rows the tables that a write touches hold."""
    tables = (Product, Replication, ProductChange)
    with app.app_context():
        return {t.__tablename__: db.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}
