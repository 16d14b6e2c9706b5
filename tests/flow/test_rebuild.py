"""``lockstep sync rebuild``: a fresh copy takes the live one's place under traffic, and after a crash."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests
from click.testing import CliRunner, Result
from pymongo.collection import Collection

import lockstep
from admin.products import service
from admin.reconcile import copies
from admin.reconcile.diff import Comparison
from client.extensions import database
from client.likes.documents import Like
from client.products import replicate
from stack.servers.mariadb import MariaDB
from stack.servers.secantus import Secantus
from tasks.messages import ProductChanged
from tests.flow.stores import unique_name
from tests.flow.two_stores import TwoStores, copy, create, deliver, two_stores

PRODUCTS = 60


@pytest.fixture
def stores(mariadb: MariaDB, secantus: Secantus, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoStores]:
    with two_stores(mariadb.create_database(unique_name()), secantus.url(unique_name())) as stores:
        for name, value in stores.settings.items():
            monkeypatch.setenv(name, value)
        for _ in range(PRODUCTS):
            create()
        deliver()
        yield stores


def rebuild(*args: str) -> Result:
    return CliRunner().invoke(lockstep.cli, ["sync", "rebuild", *args])


@contextmanager
def meanwhile(step: Callable[[], None]) -> Iterator[None]:
    """Repeat ``step`` in a thread; what it raises is raised at the end."""
    stop, errors = threading.Event(), []

    def run() -> None:
        try:
            while not stop.is_set():
                step()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert errors == []


def fresh() -> Collection:
    return database()["products_next"]


def test_shop_is_never_empty_and_nothing_is_lost_while_the_copy_is_rebuilt(stores: TwoStores) -> None:
    first, wrong, gone = (document["_id"] for document in copy().find().limit(3))
    Like._get_collection().insert_many(
        {"_id": f"{first}:u{n}", "product": first, "user": f"u{n}", "liked": True, "counted": True} for n in range(3)
    )
    copy().update_one({"_id": first}, {"$set": {"likes": 3}})
    copy().update_one({"_id": wrong}, {"$set": {"title": "Hacked"}})
    service.delete_product(gone, service.ANY_VERSION, "tester")
    deliver()
    indexes = copy().index_information()
    seen: list[int] = []

    def shop() -> None:
        answer = requests.get(f"{stores.client_url}/api/v1/products?limit=100", timeout=30)
        seen.append(len(answer.json()["items"]))

    def edit() -> None:
        with stores.app.app_context():
            service.update_product(first, {"title": f"Edit {len(seen)}"}, service.ANY_VERSION, "tester")
            create()
            deliver()

    with meanwhile(shop), meanwhile(edit):
        result = rebuild()

    assert result.exit_code == 0, result.output
    assert min(seen) >= PRODUCTS - 1
    assert seen == sorted(seen)  # what was there once stays
    assert list(Comparison(rest=0).drift()) == []
    assert copy().index_information() == indexes
    assert (copy().find_one({"_id": first}) or {})["likes"] == 3
    assert (copy().find_one({"_id": gone}) or {})["deleted"] is True
    assert "products_next" not in database().list_collection_names()


@pytest.mark.usefixtures("stores")
def test_second_rebuild_is_refused_and_a_broken_one_leaves_the_live_copy() -> None:
    before = list(copy().find())
    token = copies.ask("rebuild/begin", {})["token"]
    state = ProductChanged(before[0]["_id"], 1, None)
    assert copies.ask("rebuild/fill", {"token": token, "states": [state.encode()]}) == {"ok": True}
    # … and here the process that rebuilt is killed
    assert fresh().count_documents({}) == 1
    assert list(copy().find()) == before
    refused = rebuild()
    assert refused.exit_code == 1
    assert "another rebuild is under way" in refused.stderr
    past = datetime.now(UTC) - timedelta(seconds=1)
    database()["rebuilds"].update_one({"_id": "products"}, {"$set": {"until": past}})
    assert rebuild().exit_code == 0
    assert list(Comparison(rest=0).drift()) == []
    for step, body in {"fill": {"states": [state.encode()]}, "count": {"after": 0}, "swap": {}, "end": {}}.items():
        assert copies.ask(f"rebuild/{step}", {"token": token, **body})["ok"] is False
    assert copy().count_documents({"deleted": False}) == PRODUCTS


@pytest.mark.usefixtures("stores")
def test_change_that_arrives_during_a_rebuild_is_in_both_copies() -> None:
    token = copies.ask("rebuild/begin", {})["token"]
    replicate.apply([ProductChanged(1, 9, None)])
    assert [collection.find_one({"_id": 1}, {"ver": 1}) for collection in (copy(), fresh())] == [
        {"_id": 1, "ver": 9}
    ] * 2
    copies.ask("rebuild/end", {"token": token})
    replicate.apply([ProductChanged(2, 9, None)])
    assert fresh().find_one({"_id": 2}) is None


@pytest.mark.usefixtures("stores")
def test_rebuild_that_would_take_many_products_from_the_shop_needs_a_yes() -> None:
    template = copy().find_one() or {}
    copy().insert_many({**template, "_id": 1000 + n} for n in range(11))
    refused = rebuild()
    assert refused.exit_code == 1
    assert f"The shop shows {PRODUCTS + 11} products and would show {PRODUCTS}" in refused.stderr
    assert rebuild("--yes").exit_code == 0
    assert copy().count_documents({}) == PRODUCTS
