"""A replica set at odds with itself: writes that no majority confirmed, transactions that conflict.

The server is the tests' usual one, with the test commands of MongoDB's drivers switched on: it carries a write out and
answers as a primary does that lost its majority, or that had to choose between two writers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from celery.exceptions import Reject
from flask.testing import FlaskClient
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from client import create_app
from client import store as client_store
from client.accounts import service as accounts
from client.config import ClientSettings
from client.images import wanted
from client.likes import apply_outcomes
from client.likes import count as likes_count
from client.likes import recount as likes_recount
from client.likes import service as likes
from client.replica import apply, failures
from client.replica.contents import listed
from client.replica.documents import ProductCopy
from client.replica.repair import Repair, repair
from client.store import OUTAGES, database, mongo
from contract.messages import InvalidMessageError, LikeChanged, NewerMessageError, ProductChanged, ProductContent
from contract.service_calls import LikeOutcome
from tasks import products
from tests.flow.stores import CONTENT, TIMES, client_store_on, unique_name
from tools.stack.servers.secantus import Secantus

EMAIL, PASSWORD = "ann@example.com", "a password of some length"


@pytest.fixture(scope="module")
def _testable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secantus]:
    server = Secantus(tmp_path_factory.mktemp("testable"))
    server.command = (*server.command, "--enable-test-commands")
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def store(_testable: Secantus) -> Iterator[ClientSettings]:
    with client_store_on(_testable.url(unique_name())) as settings:
        yield settings


@pytest.fixture
def shop(store: ClientSettings) -> FlaskClient:
    return create_app(store).test_client()


@contextmanager
def unconfirmed(**how: object) -> Iterator[None]:
    """No majority confirms any write meanwhile; ``how`` replaces the answer."""
    answer = {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}
    data = {"failCommands": ["insert", "update", "delete", "findAndModify"], **answer, **how}
    mongo().admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
    try:
        yield
    finally:
        mongo().admin.command("configureFailPoint", "failCommand", mode="off")


def changed(product_id: int, sequence: int) -> ProductChanged:
    content = {**CONTENT, **TIMES, "sku": f"SKU-{product_id}", "image_url": f"/images/{'a' * 64}"}
    return ProductChanged(product_id, sequence, ProductContent(**content))


@pytest.mark.parametrize("count", [1, 3])
def test_states_that_no_majority_confirmed_are_no_dead_letter_and_are_sent_again(count: int) -> None:
    apply.apply([changed(1, 1)])
    messages = [changed(product_id, 2) for product_id in range(1, count + 1)]
    with unconfirmed():
        products._apply(messages, [InvalidMessageError("price must be exact", 9, 1)])  # raises no Reject
    with pytest.raises(Reject):  # once the store is well, what can never be applied is one
        products._apply(messages, [InvalidMessageError("price must be exact", 9, 1)])
    assert [entry.sequence for entry in listed([1, 2, 3])] == [2] * count


def test_duplicate_keys_beside_writes_that_no_majority_confirmed_are_an_outage_too() -> None:
    apply.apply([changed(1, 5)])
    ProductCopy._get_collection().update_one(
        {"_id": 1}, {"$unset": {"sequence": ""}}
    )  # found, and no older sequence to replace
    with unconfirmed(), pytest.raises(OUTAGES):
        apply.apply([changed(1, 6), changed(2, 6)])


def _applied() -> None:
    apply.apply([changed(1, 7), changed(2, 7)])


def _refused() -> None:
    failures.record(NewerMessageError("only the next release can read it", 1, 9))


def _image_wanted() -> None:
    wanted.record_digests({"b" * 64})


def _likes_taken_back() -> None:
    likes.unlike_all("ann")


def _likes_settled() -> None:
    apply_outcomes.apply([LikeChanged(1, "ann", 1, True)], [LikeOutcome("applied", 1, True, "")])


def _repaired() -> None:
    repair([Repair(1, listed([1])[0], changed(1, 6))])


def _signed_up() -> None:
    accounts.sign_up(f"{unique_name()}@example.com", PASSWORD)


def _password_changed() -> None:
    accounts.reset_password(EMAIL, "quite another password")


@pytest.mark.parametrize(
    "write",
    [
        _applied,
        _refused,
        _image_wanted,
        _likes_taken_back,
        _likes_settled,
        _repaired,
        _signed_up,
        _password_changed,
    ],
)
def test_every_write_distinguishes_an_outage_of_the_store_from_an_error(write: Callable[[], None]) -> None:
    apply.apply([changed(1, 1)])
    accounts.sign_up(EMAIL, PASSWORD)
    like = {"_id": "1:ann", "product": 1, "user": "ann", "liked": True, "revision": 1, "at": datetime.now(UTC)}
    database()["likes"].insert_one({**like, "pending": True, "uncounted": True})
    with unconfirmed(), pytest.raises(OUTAGES):
        write()
    write()  # doing it again is harmless


def test_shopper_gets_503_while_no_majority_confirms(shop: FlaskClient) -> None:
    apply.apply([changed(1, 1)])
    account = {"email": EMAIL, "password": PASSWORD}
    with unconfirmed():
        signed_up = shop.post("/api/v1/shoppers", json=account)
    assert (signed_up.status_code, signed_up.content_type) == (503, "application/problem+json")
    token = shop.post("/api/v1/auth/token", json=account).get_json()["access_token"]
    mine = {"Authorization": f"Bearer {token}"}
    with unconfirmed():
        assert shop.put("/api/v1/products/1/likes/me", headers=mine).status_code == 503
    assert shop.put("/api/v1/products/1/likes/me", headers=mine).status_code == 200


class Asked(CommandListener):
    """How many likes each question for uncounted ones asked for."""

    def __init__(self) -> None:
        self.limits: list[int] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find" and event.command["find"] == "likes":
            self.limits.append(event.command["limit"])

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


CONFLICT = {"failCommands": ["commitTransaction"], "errorCode": 112, "errorLabels": ["TransientTransactionError"]}


def _uncounted_likes(count: int) -> None:
    apply.apply([changed(1, 1)])
    shared = {"product": 1, "liked": True, "revision": 1, "at": datetime.now(UTC), "uncounted": True}
    database()["likes"].insert_many([{"_id": f"1:{number}", "user": str(number), **shared} for number in range(count)])


def test_batch_of_likes_shrinks_with_each_conflict(store: ClientSettings) -> None:
    _uncounted_likes(80)
    asked = Asked()
    client_store.connect(store, asked)
    mongo().admin.command("configureFailPoint", "failCommand", mode={"times": 2}, data=CONFLICT)
    assert likes_count.count() == 80
    assert asked.limits[:4] == [1, 200, 50, 12]
    assert database()["products"].find_one({"_id": 1})["likes"] == 80


@pytest.mark.timeout(60)  # by itself the driver tries again for two minutes
def test_transaction_with_repeated_conflicts_ends_before_its_lease() -> None:
    _uncounted_likes(3)
    mongo().admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=CONFLICT)
    try:
        assert likes_count.count() == 0
        with pytest.raises(likes_recount.BusyError):
            likes_recount.repair([1])
        with pytest.raises(PyMongoError):
            likes_recount.correct([1])
    finally:
        mongo().admin.command("configureFailPoint", "failCommand", mode="off")
    assert likes_count.count() == 3
