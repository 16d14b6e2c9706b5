"""The number of statements of each use case on MariaDB, and that none reads too many of some thousand rows."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update

from admin.catalogue import queries, service
from admin.catalogue.messages import current_messages
from admin.catalogue.models import Product
from admin.catalogue.schemas import SORTS
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.likes import service as likes
from admin.likes.queries import with_likes
from admin.outbox import change_log
from admin.outbox.client_gateway import Answer
from admin.outbox.models import FRESH, ProductChange, Replication
from admin.relay import claims, verify
from admin.relay.loop import Relay
from contract.messages import LikeChanged
from contract.names import BULK, INTERACTIVE
from contract.publisher import PublishError
from contract.service_calls import ReplicaState
from tests.flow import seed
from tests.flow.sql_log import plans, rows_read, starts
from tests.flow.stores import CONTENT, admin_on, unique_name
from tools.stack.servers.mariadb import MariaDB
from web.http import cursors

PRODUCTS, DUE = 6_000, 600  # the last ones are not verified
TABLES = {"products", "replication", "product_changes", "product_search_terms", "product_likes"}
PAGE, SEARCH = 120, 2_500  # rows and index entries read for a page of 20; of a word that every tenth product has
FEW_ROWS = 700  # a step's 500 and some; what a plan expects to read is an estimate


class ClientThatHoldsAll:
    """A Client that stores every product exactly as Admin does."""

    def replica_states(self, ids: list[int], acknowledged: int, **_told: int) -> Answer:
        now = db.session.execute(select(utc_now())).scalar_one()
        messages = current_messages(ids)
        return Answer(
            {m.id: ReplicaState(m.id, m.sequence, m.checksum, now, 0, None) for m in messages}, acknowledged, now
        )


class ClientThatHoldsNothing:
    """Counts what it is asked."""

    questions = 0

    def replica_states(self, _ids: list[int], acknowledged: int, **_told: int) -> Answer:
        self.questions += 1
        return Answer({}, acknowledged, db.session.execute(select(utc_now())).scalar_one())


@pytest.fixture(scope="module")
def app(mariadb: MariaDB) -> Iterator[Flask]:
    with admin_on(mariadb.create_database(unique_name())) as app:
        seed.admin(db.engine, 1, PRODUCTS - DUE, verified=True)
        seed.admin(db.engine, PRODUCTS - DUE + 1, PRODUCTS, verified=False)
        db.session.execute(update(ProductChange).values(changed_at=utc_now()))  # too young to be purged
        db.session.commit()
        app.extensions["client_gateway"] = ClientThatHoldsAll()
        yield app


@pytest.fixture(autouse=True)
def _in_a_transaction_of_its_own(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield
        db.session.rollback()


def content(sku: str) -> dict[str, Any]:
    return {**CONTENT, "sku": sku, "price": Decimal("12.50")}


def test_create_sends_five_statements() -> None:
    assert starts(lambda: service.create_product(content("NEW-1"), "tester")) == [
        "SELECT sync_state",
        "INSERT products",
        "INSERT product_search_terms",
        "INSERT replication",
        "INSERT product_changes",
    ]


def test_update_sends_four_statements_and_two_more_for_new_search_terms() -> None:
    product = service.create_product(content("NEW-2"), "tester")
    assert starts(lambda: service.update_product(product.id, {"price": Decimal(1)}, {1}, "tester")) == [
        "SELECT products",
        "INSERT products",
        "INSERT replication",
        "INSERT product_changes",
    ]
    renamed = starts(lambda: service.update_product(product.id, {"title": "Blue bowl"}, {2}, "tester"))
    assert renamed[2:4] == ["DELETE product_search_terms", "INSERT product_search_terms"]
    assert len(renamed) == 6


def test_delete_sends_four_statements() -> None:
    product = service.create_product(content("NEW-3"), "tester")
    assert len(starts(lambda: service.delete_product(product.id, {1}, "tester"))) == 4


def test_page_is_one_read_and_one_for_its_likes() -> None:
    assert starts(lambda: page("-updated_at")) == ["SELECT products", "SELECT like_counts"]
    assert starts(lambda: page("-updated_at", q="red no4240")) == [
        "SELECT product_search_terms",  # the rare term: the other one is not looked up
        "SELECT products",
        "SELECT like_counts",
    ]


def test_batch_of_likes_sends_few_statements_whatever_its_size() -> None:
    def batch(revision: int, size: int) -> list[LikeChanged]:
        return [LikeChanged(1 + number % 50, f"user{number}", revision, True) for number in range(size)]

    likes.apply_likes(batch(1, 100))
    few, many = (len(starts(lambda size=size: likes.apply_likes(batch(2, size)))) for size in (2, 100))  # type: ignore[misc]
    assert few == many <= 7


def test_relay_claims_and_verifies_a_batch_with_one_read_and_one_write() -> None:
    assert starts(claim_and_release) == ["SELECT", "SELECT replication", "UPDATE replication", "UPDATE replication"]
    verification = starts(prove_all)[1:]
    assert len(verification) <= 13  # two of them the test's own
    assert [start for start in verification if start.endswith(("replication", "product_changes"))] == [
        "UPDATE replication",
        "SELECT product_changes",
        "UPDATE product_changes",
    ]


def test_relay_verifies_a_backlog_of_which_nothing_arrived_once(app: Flask) -> None:
    shop = ClientThatHoldsNothing()
    app.extensions["client_gateway"] = shop
    relay = Relay()
    for _ in range(3):
        with pytest.raises(PublishError):  # nobody listens: the rows are put back
            relay.send_fresh(INTERACTIVE)
    app.extensions["client_gateway"] = ClientThatHoldsAll()
    assert shop.questions == 1


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_lists_are_read_in_the_order_of_an_index(sort: str, deep: bool) -> None:
    assert_reads_little(plans(lambda: page(sort, deep=deep)), sorts=False)
    assert rows_read(lambda: page(sort, deep=deep)) < PAGE
    if sort in ("-updated_at", "id"):
        assert_reads_little(plans(lambda: page(sort, deep=deep, category="Category 7")), sorts=False)
        assert rows_read(lambda: page(sort, deep=deep, category="Category 7")) < PAGE


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("q", ["red", "no4242", "red no4240", "nothing"])
def test_searches_read_little(q: str, deep: bool) -> None:
    assert_reads_little(plans(lambda: page("-updated_at", deep=deep, q=q)), sorts=q != "red")
    assert rows_read(lambda: page("-updated_at", deep=deep, q=q)) < (SEARCH if q == "red" else PAGE)


def test_relay_and_likes_read_little() -> None:
    some = [LikeChanged(number, "reader", 1, True) for number in range(1, 20)]
    for step in (
        claims.any_due,
        claim_and_release,
        prove_all,
        claims.make_far_future_due,
        change_log.purge,
        lambda: likes.apply_likes(some),
    ):
        assert_reads_little(plans(step), sorts=True)


LONG = 500  # verified changes of one product
STEPS: dict[str, Callable[[list[Replication]], Any]] = {
    "verify": lambda rows: verify.verify(rows, BULK),
    "explain": lambda rows: verify._record_reasons(
        rows, {row.product_id: ReplicaState(row.product_id, 0, "", None, row.sequence, "no") for row in rows}
    ),
    "record the first sending": change_log.record_first_sent,
    "record an attempt": change_log.count_attempt,
}


@pytest.mark.parametrize("step", STEPS)
def test_newest_change_is_handled_without_reading_the_history(step: str) -> None:
    rows = [db.session.get_one(Replication, product_id) for product_id in _with_long_history(5)]
    db.session.expunge_all()
    assert rows_read(lambda: STEPS[step](rows)) < LONG


def _with_long_history(products: int) -> list[int]:
    """Create products that were changed LONG times before, of which only the last change is not verified."""
    ids = [service.create_product(content(unique_name()), "tester").id for _ in range(products)]
    same = {"kind": "updated", "author": "tester", "changed_at": utc_now(), "verified_at": utc_now()}
    for product_id in ids:
        db.session.execute(update(ProductChange).filter_by(product_id=product_id).values(sequence=LONG + 1))
        db.session.execute(
            update(Replication).filter_by(product_id=product_id).values(sequence=LONG + 1, verified_sequence=LONG)
        )
        old = [{"product_id": product_id, "sequence": sequence, **same} for sequence in range(1, LONG + 1)]
        db.session.execute(insert(ProductChange).values(old))
    db.session.execute(text("ANALYZE TABLE product_changes"))
    db.session.commit()
    return ids


def page(sort: str, *, deep: bool = False, q: str = "", category: str | None = None) -> queries.Page:
    cursor = None
    if deep:
        product = db.session.execute(select(Product).where(Product.id == PRODUCTS // 2)).scalar_one()
        cursor = cursors.encode(sort, queries.position(product, sort))
        db.session.rollback()
    listed = queries.list_products(limit=20, cursor=cursor, q=q, category=category, sort=sort)
    with_likes(listed.items)
    return listed


def claim_and_release() -> None:
    claims.release(claims.claim(INTERACTIVE, (FRESH,), 200))


def prove_all() -> None:
    rows = list(db.session.execute(select(Replication).where(Replication.product_id > PRODUCTS - 20)).scalars())
    db.session.expunge_all()
    verify.verify(rows, BULK)


def assert_reads_little(found: list[dict[str, Any]], *, sorts: bool) -> None:
    """No table is read whole. Sorted is only what was narrowed down first; otherwise an index gives the order, and a
    page ends the reading of it (``index``).
    """
    assert found
    for row in found:
        filesort = "filesort" in (row["Extra"] or "")
        if row["table"] in TABLES:
            assert row["type"] not in ({"ALL", "index"} if sorts else {"ALL"}), row
            assert not filesort or (sorts and int(row["rows"]) <= FEW_ROWS), row
