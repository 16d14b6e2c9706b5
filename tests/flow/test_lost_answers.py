"""A database that goes away in the middle of a request: what was saved is answered as saved, and no answer claims more
than is known.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pymongo import monitoring
from sqlalchemy import event

from admin.accounts.models import EDITOR
from admin.accounts.service import add_staff
from admin.db.extensions import db
from client import create_app, store
from client.metrics import PoolListener
from client.replica import apply
from contract.messages import ProductChanged, ProductContent
from tests.flow.stores import CONTENT, TIMES, admin_on, client_store_on, unique_name
from tools.faults.proxy import Proxy
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.secantus import Secantus

EMAIL, PASSWORD = "ann@example.com", "a password of some length"
NOTHING, UNKNOWN = "Nothing was changed.", "It is unknown whether your change was saved"


@pytest.fixture
def to_mariadb(mariadb: MariaDB) -> Iterator[Proxy]:
    with Proxy(mariadb.port) as proxy:
        yield proxy


@pytest.fixture
def admin(mariadb: MariaDB, to_mariadb: Proxy) -> Iterator[Flask]:
    url = mariadb.create_database(unique_name()).replace(f":{mariadb.port}/", f":{to_mariadb.port}/")
    with admin_on(url) as app:
        add_staff(EMAIL, PASSWORD, EDITOR)
        yield app
        to_mariadb.work()


def signed_in(app: Flask) -> tuple[FlaskClient, dict[str, str]]:
    client = app.test_client()
    token = client.post("/api/v1/auth/token", json={"email": EMAIL, "password": PASSWORD}).get_json()["access_token"]
    return client, {"Authorization": f"Bearer {token}"}


def at(name: str, act: Callable[[], None]) -> None:
    """Have ``act`` called once, when Admin's engine comes to ``name``."""

    def once(*_arguments: Any) -> None:
        act()

    event.listen(db.engine, name, once, once=True)


def test_change_that_was_committed_is_answered_though_the_database_went_right_after(
    admin: Flask, to_mariadb: Proxy
) -> None:
    client, me = signed_in(admin)
    made = client.post("/api/v1/products", json=CONTENT, headers=me)
    path, me = made.headers["Location"], {**me, "If-Match": "*"}
    at("commit", lambda: at("checkin", to_mariadb.refuse))
    changed = client.patch(path, json={"title": "Blue mug"}, headers=me)
    assert (changed.status_code, changed.get_json()["version"]) == (200, 2)


def test_no_answer_claims_that_nothing_changed_once_a_commit_was_sent(admin: Flask, to_mariadb: Proxy) -> None:
    client, me = signed_in(admin)
    at("commit", to_mariadb.refuse)
    answer = client.post("/api/v1/products", json=CONTENT, headers=me)
    assert (answer.status_code, UNKNOWN in answer.get_json()["detail"]) == (503, True)
    to_mariadb.refuse()
    before = client.post("/api/v1/products", json=CONTENT, headers=me)
    assert (before.status_code, NOTHING in before.get_json()["detail"]) == (503, True)
    read = client.get("/api/v1/products", headers=me)
    assert read.get_json()["detail"] == "The database does not answer. Try again in a moment."


class Refuses(monitoring.CommandListener):
    """Takes the store away when it is sent a certain command."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy, self.command = proxy, ""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name == self.command:
            self._proxy.refuse()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.mark.parametrize(("command", "said"), [("find", NOTHING), ("update", UNKNOWN)])
def test_shop_says_that_nothing_changed_only_before_its_write(secantus: Secantus, command: str, said: str) -> None:
    url = f"{secantus.url(unique_name())}?directConnection=true"
    with (
        Proxy(secantus.port) as proxy,
        client_store_on(url.replace(f":{secantus.port}/", f":{proxy.port}/")) as settings,
    ):
        apply.apply([ProductChanged(1, 1, ProductContent(**CONTENT, **TIMES))])
        app, refuses = create_app(settings), Refuses(proxy)
        store.connect(settings, PoolListener(), store.WriteListener(), refuses)
        shop = app.test_client()
        shop.post("/api/v1/shoppers", json={"email": EMAIL, "password": PASSWORD})
        _client, me = signed_in(app)
        refuses.command = command
        answer = shop.put("/api/v1/products/1/likes/me", headers=me)
        refuses.command = ""
        proxy.work()
    assert (answer.status_code, said in answer.get_json()["detail"]) == (503, True), answer.get_json()
