"""Forged copies, by the broker or in the Client's store, are found, and repaired where that is safe."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, text, update

from admin.catalogue import service
from admin.catalogue.messages import current_messages
from admin.catalogue.models import Product
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.outbox.models import FRESH, VERIFIED, ProductChange, Replication
from admin.reconcile import check
from admin.reconcile.models import Drift, DriftCheck
from admin.relay.loop import Relay
from admin.relay.resync import Selection, mark_pending
from client.replica import apply
from contract.messages import ProductChanged, ProductContent
from contract.names import BULK, INTERACTIVE
from contract.publisher import PublishError
from contract.versions import compose
from lockstep.main import cli as lockstep_cli
from tests.flow.stores import unique_name
from tests.flow.two_stores import TwoStores, copy, create, deliver, two_stores
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.secantus import Secantus

FORGED = {"title": "Forged", "price": "0.01"}
LATER = compose(3, 7)
ORDINARY = 20_000  # products


@pytest.fixture(scope="module")
def stores(mariadb: MariaDB, secantus: Secantus) -> Iterator[TwoStores]:
    with two_stores(mariadb.create_database(unique_name()), secantus.url(unique_name())) as stores:
        yield stores


@pytest.fixture(autouse=True)
def _emptied(stores: TwoStores, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in (Product, Replication, ProductChange, Drift):
        db.session.execute(delete(table))
    copy().delete_many({})
    for name, value in stores.settings.items():
        monkeypatch.setenv(name, value)
    _let_time_pass()


@pytest.fixture
def product() -> int:
    """A verified product."""
    product_id = create()
    deliver()
    return product_id


def forge(product_id: int, sequence: int = LATER, like: int | None = None) -> None:
    """Let the Client apply a forged message with the content of ``like``, or of the product."""
    [message] = current_messages([like or product_id])
    assert message.product
    content = ProductContent(**{**message.product.encode(), **FORGED})
    apply.apply([ProductChanged(product_id, sequence, content)])


def held(product_id: int) -> dict[str, Any]:
    return dict(copy().find_one({"_id": product_id}) or {})


def row(product_id: int) -> Replication:
    query = select(Replication).filter_by(product_id=product_id).execution_options(populate_existing=True)
    found: Replication = db.session.execute(query).scalar_one()
    db.session.expunge_all()
    db.session.rollback()
    return found


def diff(*args: str) -> int:
    return CliRunner().invoke(lockstep_cli, ["sync", "diff", *args]).exit_code


def work() -> None:
    """Let a relay without a broker process all due rows, several times."""
    relay = Relay()
    for _ in range(3):
        _let_time_pass()
        for lane in (INTERACTIVE, BULK):
            relay.recheck(lane)
            relay.send_fresh(lane)


def _let_time_pass() -> None:
    db.session.execute(update(Replication).where(Replication.due_at.is_not(None)).values(due_at=utc_now()))
    db.session.execute(update(DriftCheck).values(due_at="2000-01-01", paused_until=None, after_id=None))
    db.session.execute(update(Drift).values(checked_at="2000-01-01"))
    db.session.commit()


TOUCHES: dict[str, Callable[[int], Any]] = {
    "edited": lambda product_id: service.update_product(product_id, {"title": "Edited"}, service.ANY_VERSION, "tester"),
    "deleted": lambda product_id: service.delete_product(product_id, service.ANY_VERSION, "tester"),
    "resynced": lambda product_id: mark_pending(Selection(ids=[product_id])),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_forged_later_version_is_drift_until_it_is_repaired(product: int, touch: str) -> None:
    forge(product)
    TOUCHES[touch](product)
    assert diff() == 3
    assert diff("--repair") == 0
    assert diff() == 0
    assert held(product).get("title") == {"edited": "Edited", "deleted": None, "resynced": "Red mug"}[touch]


@pytest.mark.parametrize("touch", TOUCHES)
def test_forged_later_version_of_a_changed_product_is_repaired_by_the_relay(product: int, touch: str) -> None:
    forge(product)
    TOUCHES[touch](product)
    work()
    assert row(product).state == VERIFIED
    assert diff() == 0
    assert held(product)["deleted"] == (touch == "deleted")


def test_forged_later_version_of_an_unchanged_product_is_found_by_the_first_check_and_repaired(product: int) -> None:
    forge(product)
    check.compare_next()
    assert [(found.product_id, found.kind) for found in check.summary().examples] == [(product, "ahead")]
    assert row(product).state == FRESH
    work()
    assert (row(product).state, held(product)["title"]) == (VERIFIED, "Red mug")
    _let_time_pass()
    check.compare_next()
    assert check.summary().confirmed == 0


def test_forged_undelete_is_repaired(product: int) -> None:
    other = create()
    service.delete_product(product, service.ANY_VERSION, "tester")
    deliver()
    forge(product, like=other)
    assert held(product)["deleted"] is False
    check.compare_next()
    work()
    assert held(product)["deleted"] is True


def test_forged_content_at_the_same_version_is_found_by_two_checks_and_repaired(product: int) -> None:
    copy().update_one({"_id": product}, {"$set": {"title": "Forged"}})
    check.compare_next()
    assert row(product).state == VERIFIED, "a single look may have come amid a change"
    _let_time_pass()
    check.compare_next()
    work()
    assert (row(product).state, held(product)["title"]) == (VERIFIED, "Red mug")


def test_invented_product_is_found_by_the_first_check_and_left_to_an_operator(product: int) -> None:
    forge(product + 500, like=product)
    check.compare_next()
    assert [(found.product_id, found.kind) for found in check.summary().examples] == [(product + 500, "orphaned")]
    work()
    assert held(product + 500)["deleted"] is False
    assert diff("--repair") == 0
    assert held(product + 500)["deleted"] is True


def test_edit_in_admins_tables_is_found_and_left_to_an_operator(product: int) -> None:
    db.session.execute(text("UPDATE products SET deleted_at = updated_at"))
    db.session.commit()
    for _ in range(2):
        _let_time_pass()
        check.compare_next()
    assert check.summary().confirmed == 1
    work()
    assert held(product)["deleted"] is False, "else a slip in SQL would empty the shop by itself"


def test_relay_without_a_broker_sends_nothing_for_a_repair(product: int) -> None:
    forge(product)
    TOUCHES["resynced"](product)
    other = create()
    relay = Relay()
    _let_time_pass()
    with pytest.raises(PublishError):  # the other one has to be sent
        relay.send_fresh(INTERACTIVE)
    assert held(product)["title"] == "Red mug"
    assert (row(product).state, row(other).state) == ("sent", FRESH)


def test_forgery_is_confirmed_within_a_minute_at_ordinary_sizes() -> None:
    looks = -(-ORDINARY // check.SPAN)
    found = check.PASS_PAUSE + looks * check.EVERY
    assert found + check.RECHECK_EVERY + check.EVERY <= timedelta(minutes=1)
