"""The product over the production servers, started once for all flow tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from admin.catalogue.models import Product
from admin.catalogue.search_terms import ProductSearchTerm
from admin.db.extensions import db
from admin.likes.models import LikeCount, ProductLike
from admin.outbox.models import LaneProgress, ProductChange, Replication
from client import create_app
from client.config import ClientSettings
from client.store import database
from tests.flow.likes_both_sides import BothSides, both_sides
from tests.flow.running import NewServers, Running, running
from tests.flow.stores import admin_on, client_store_on, empty, sqlite_url, unique_name
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.secantus import Secantus
from tools.stack.servers.valkey import Valkey

GIVEN = ("TEST_DATABASE_URL", "TEST_MONGODB_URL", "TEST_BROKER_URL")


@pytest.fixture(scope="session")
def production(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Production's servers: those that the variables in GIVEN name, or RabbitMQ, MariaDB and a MongoDB-wire server."""
    given = tuple(os.environ[name] for name in GIVEN if name in os.environ)
    if given and len(given) < len(GIVEN):
        pytest.fail(f"Set all of {', '.join(GIVEN)}, or none.")
    urls = given or request.getfixturevalue("new_servers")()
    with running(urls, tmp_path_factory.mktemp("production")) as started:
        yield started


@pytest.fixture
def apart(new_servers: NewServers, tmp_path: Path) -> Iterator[Running]:
    """The same servers with databases and processes of the test's own, to be broken at will."""
    with running(new_servers(), tmp_path) as started:
        yield started


@pytest.fixture
def embedded(secantus: Secantus, valkey: Valkey, tmp_path: Path) -> Iterator[Running]:
    """SQLite, a MongoDB-wire server and Valkey: what the demo uses."""
    with running((sqlite_url(tmp_path), secantus.url(unique_name()), valkey.url()), tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def _sides(secantus: Secantus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothSides]:
    with both_sides(secantus.url(unique_name()), tmp_path_factory.mktemp("admin")) as sides:
        yield sides


@pytest.fixture
def sides(_sides: BothSides) -> Iterator[BothSides]:
    """Both sides of the likes, emptied afterwards."""
    yield _sides
    _sides.server.mood, _sides.server.headers = None, {}
    _sides.empty()


@pytest.fixture(scope="module")
def shop_app(secantus: Secantus) -> Iterator[Flask]:
    """The Client's web service on a store of the module's own."""
    with client_store_on(secantus.url(unique_name())) as settings:
        yield create_app(settings)


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
def _admin_app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mariadb: MariaDB
) -> Iterator[Flask]:
    on_mariadb = request.param == "mariadb"
    url = mariadb.create_database(unique_name()) if on_mariadb else sqlite_url(tmp_path_factory.mktemp("admin"))
    with admin_on(url) as app:
        yield app


@pytest.fixture
def app(_admin_app: Flask) -> Iterator[Flask]:
    """Admin without products: one database serves all tests, because migrating one takes longer than most of them."""
    yield _admin_app
    db.session.rollback()
    for table in (Product, ProductSearchTerm, Replication, ProductChange, LaneProgress, ProductLike, LikeCount):
        db.session.execute(delete(table))
    db.session.commit()


@pytest.fixture(scope="module")
def _client_store(secantus: Secantus) -> Iterator[ClientSettings]:
    with client_store_on(secantus.url(unique_name())) as settings:
        yield settings


@pytest.fixture
def client_store(_client_store: ClientSettings) -> ClientSettings:
    """The Client's database, empty, for tests that call its code: migrating one takes longer than most of them."""
    empty(*set(database().list_collection_names()) - {"migrations"})
    return _client_store
