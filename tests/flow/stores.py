"""The two services' stores for tests that call the code directly, each with a database of its own."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mongoengine
import pytest
from flask import Flask
from pydantic import SecretStr
from pymongo.database import Database

from admin import create_app
from admin.config import AdminSettings
from admin.db import schema
from admin.db.extensions import db
from client import migrations, store
from client.config import ClientSettings
from client.leases import wait_for_lease
from client.likes import count

SECRET = SecretStr("x" * 40)
KEYS = SecretStr("test:" + "k" * 40)
NOWHERE = "http://127.0.0.1:1"

CONTENT = {
    "sku": "MUG-1",
    "title": "Red mug",
    "description": "",
    "price": "12.50",
    "currency": "EUR",
    "category": "Kitchen",
    "image_url": "",
}


TIMES = {"created_at": "2026-11-01T08:00:00.000Z", "updated_at": "2026-11-01T08:00:00.125Z"}


def unique_name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@contextmanager
def admin_on(url: str, client_url: str = NOWHERE) -> Iterator[Flask]:
    """Yield Admin's app inside its context, on the database at ``url``, migrated."""
    app = create_app(
        AdminSettings(
            admin_database_url=SecretStr(url), admin_secret_key=SECRET, admin_client_url=client_url, service_keys=KEYS
        )
    )
    with app.app_context():
        schema.upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'admin.db'}"


def set_environment(patch: pytest.MonkeyPatch, settings: ClientSettings) -> None:
    """Set the environment of the Client's commands and tasks."""
    patch.setenv("CLIENT_MONGODB_URL", settings.client_mongodb_url.get_secret_value())
    patch.setenv("CLIENT_SECRET_KEY", settings.client_secret_key.get_secret_value())
    patch.setenv("CLIENT_ADMIN_URL", settings.client_admin_url)
    patch.setenv("SERVICE_KEYS", settings.service_keys.get_secret_value())


@contextmanager
def client_store_on(url: str, admin_url: str = NOWHERE) -> Iterator[ClientSettings]:
    """Connect this process to the Client's database at ``url``, migrated; yield the settings used."""
    settings = ClientSettings(
        client_mongodb_url=SecretStr(url), client_secret_key=SECRET, client_admin_url=admin_url, service_keys=KEYS
    )
    store.connect(settings)
    migrations.migrate(store.database())
    yield settings
    database: Database = store.database()
    with _nothing_counted():
        database.client.drop_database(database.name)
    mongoengine.disconnect()


def empty(*names: str) -> None:
    """Delete all documents of the Client's collections ``names``."""
    with _nothing_counted():
        for name in names:
            store.database()[name].delete_many({})


@contextmanager
def _nothing_counted() -> Iterator[None]:
    """Keep background threads from counting likes: SecantusDB hangs where a delete of all meets a transaction."""
    with wait_for_lease(count.LEASE, count.LEASE_TIME, timeout=10):
        yield
