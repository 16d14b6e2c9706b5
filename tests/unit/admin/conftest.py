"""Admin on a SQLite file: no service runs, and nothing listens where the broker should be (see tests/conftest.py)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.service import add_staff
from admin.accounts.sessions import COOKIE
from admin.db import schema
from tests.browsing import Browser
from tests.unit.admin.catalogue import PASSWORD, Api, admin_on, dispose
from tests.unit.admin.pages import SIGN_IN


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file at the newest revision with an editor and a viewer, to be copied."""
    path = tmp_path_factory.mktemp("admin") / "migrated.db"
    app = admin_on(path)
    with app.app_context():
        schema.upgrade()
        add_staff("editor@example.com", PASSWORD, EDITOR)
        add_staff("viewer@example.com", PASSWORD, VIEWER)
    dispose(app)  # the last connection to close moves the write-ahead log into the file
    return path


@pytest.fixture(scope="session")
def tokens(migrated: Path) -> dict[str, str]:
    """Bearer tokens by role; they hold on every copy, because the secret and the accounts are the same."""
    app = admin_on(migrated)
    found = {role: _sign_in(app.test_client(), role) for role in (EDITOR, VIEWER)}
    dispose(app)
    return found


def _sign_in(client: FlaskClient, role: str) -> str:
    answer = client.post("/api/v1/auth/token", json={"email": f"{role}@example.com", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["access_token"])


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the file of the test that runs is."""
    return tmp_path_factory.mktemp("admin") / "admin.db"


@pytest.fixture(scope="session")
def _app(database: Path) -> Flask:
    return admin_on(database)


@pytest.fixture
def app(_app: Flask, database: Path, migrated: Path) -> Iterator[Flask]:
    """Admin on a fresh database. One app serves all tests, because making one takes longer than most of them."""
    shutil.copy(migrated, database)
    yield _app
    dispose(_app)


@pytest.fixture
def migrated_app(migrated: Path, tmp_path: Path) -> Iterator[Flask]:
    """Admin on a fresh database, an app of the test's own, to be given other pages."""
    app = admin_on(Path(shutil.copy(migrated, tmp_path / "admin.db")))
    yield app
    dispose(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def editor(client: FlaskClient, tokens: dict[str, str]) -> Api:
    return Api(client, tokens[EDITOR])


@pytest.fixture
def viewer(client: FlaskClient, tokens: dict[str, str]) -> Api:
    return Api(client, tokens[VIEWER])


@pytest.fixture(scope="session")
def cookies(migrated: Path) -> dict[str, str]:
    """The console session's cookie by role; it holds on every copy of the database, where the sign-in is noted."""
    app = admin_on(migrated)
    found = {}
    for role in (EDITOR, VIEWER):
        browser = Browser(app.test_client(), SIGN_IN)
        assert browser.sign_in(f"{role}@example.com", PASSWORD).status_code == 303
        cookie = browser.client.get_cookie(COOKIE)
        assert cookie
        found[role] = cookie.value
    dispose(app)
    return found


@pytest.fixture
def staff(client: FlaskClient, cookies: dict[str, str]) -> Browser:
    """An editor at the console."""
    return _at_the_console(client, cookies[EDITOR])


@pytest.fixture
def onlooker(app: Flask, cookies: dict[str, str]) -> Browser:
    """A viewer at the console."""
    return _at_the_console(app.test_client(), cookies[VIEWER])


def _at_the_console(client: FlaskClient, cookie: str) -> Browser:
    client.set_cookie(COOKIE, cookie)
    return Browser(client, SIGN_IN)
