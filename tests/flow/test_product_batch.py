"""Batches of changes on MariaDB and SQLite: whole or not at all, also while others write the same products."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from admin.catalogue import batch_items, idempotency, service
from admin.catalogue.batch import BatchRefusedError, Done, Outcome, apply_batch
from admin.catalogue.models import Product
from admin.catalogue.search_terms import LONGEST, ProductSearchTerm
from admin.db.extensions import db
from admin.db.writes import execute, insert_rows
from admin.outbox.models import ProductChange, Replication
from contract.names import BULK, INTERACTIVE
from tests.flow.stores import CONTENT, unique_name

TABLES = (Product, ProductSearchTerm, Replication, ProductChange)
SKUS = [f"SKU-{number}" for number in range(60)]
ROUNDS = 6


def run(*items: dict[str, Any], atomic: bool = False, lane: str = INTERACTIVE) -> list[Outcome]:
    return apply_batch(batch_items.read(items), "tester", lane, atomic, lambda _outcomes: None)


def results(outcomes: list[Outcome]) -> list[str]:
    return [one.result if isinstance(one, Done) else type(one.problem).__name__ for one in outcomes]


def create(sku: str, title: str = "Red mug") -> dict[str, Any]:
    return {"action": "create", "product": {**CONTENT, "sku": sku, "title": title}}


def update(sku: str, title: str) -> dict[str, Any]:
    return {"action": "update", "sku": sku, "version": "*", "product": {"title": title}}


def counts() -> list[int]:
    db.session.rollback()
    found = [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]
    db.session.rollback()
    return found


def together(app: Flask, *batches: list[dict[str, Any]]) -> list[list[str]]:
    """Run the batches at the same moment, each in a thread; return their results."""
    start = Barrier(len(batches))

    def one(batch: list[dict[str, Any]]) -> list[str]:
        with app.app_context():
            start.wait(10)
            return results(run(*batch, lane=BULK))

    with ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(one, batches))


@pytest.mark.usefixtures("app")
def test_everything_that_belongs_to_a_change_is_stored_with_it() -> None:
    run(create("A"), create("B"), create("C"))
    outcomes = run(
        {"action": "delete", "sku": "A", "version": 1},
        update("B", "Blue bowl"),
        {"action": "update", "sku": "C", "version": 1, "product": {"price": "7.5"}},
        create("D"),
    )
    assert results(outcomes) == ["deleted", "updated", "updated", "created"]
    rows = {row.sku: row for row in db.session.execute(select(Product)).scalars()}
    assert [rows[sku].version for sku in "ABCD"] == [2, 2, 2, 1]
    assert (rows["A"].live_sku, rows["A"].deleted_at) == (None, rows["A"].updated_at)
    assert (rows["C"].live_sku, rows["C"].deleted_at, rows["C"].price) == ("C", None, Decimal("7.5"))
    pending = {row.product_id: row for row in db.session.execute(select(Replication)).scalars()}
    assert [(pending[rows[sku].id].sequence, pending[rows[sku].id].verified_sequence) for sku in "AD"] == [
        (2, 0),
        (1, 0),
    ]
    kinds = db.session.execute(
        select(ProductChange.kind).order_by(ProductChange.product_id, ProductChange.id)
    ).scalars()
    assert list(kinds) == ["created", "deleted", "created", "updated", "created", "updated", "created"]
    terms = select(ProductSearchTerm.term).where(ProductSearchTerm.product_id == rows["B"].id)
    assert set(db.session.execute(terms).scalars()) == {"blue", "bowl", "b"}


@pytest.mark.usefixtures("app")
def test_texts_are_stored_as_they_are_sent() -> None:
    """Quotes, backslashes, percent signs, line breaks and characters of four bytes, in few and in many long rows."""
    strange = "\"'\\ %s %(sku)s :sku \\n \n \t NULL null [1] é\u2028 \U0001f375"
    line = re.sub("[\n\t\u2028]", "", strange)
    long = (strange * 200)[:9_000].strip()
    for count in (1, 3, 300):
        skus = [f"SKU-{count}-{number}" for number in range(count)]
        run(*({"action": "create", "product": {**create(sku)["product"], "description": long}} for sku in skus))
        run(*(update(sku, line) for sku in skus))
        query = select(Product.description, Product.title, Product.version).where(Product.sku.in_(skus))
        [(description, title, version)] = set(db.session.execute(query).tuples())
        assert (description, title, version) == (long, line, 2)


@pytest.mark.usefixtures("app")
def test_failure_before_the_commit_stores_nothing() -> None:
    run(create("A"))
    before = counts()

    def fail(_outcomes: object) -> None:
        raise RuntimeError

    items = batch_items.read([create("B"), update("A", "Blue bowl")])
    with pytest.raises(RuntimeError):
        apply_batch(items, "tester", BULK, atomic=False, before_commit=fail)
    assert counts() == before
    assert db.session.execute(select(Product.title)).scalars().all() == ["Red mug"]


@pytest.mark.usefixtures("app")
def test_atomic_batch_with_a_refused_item_stores_nothing() -> None:
    run(create("A"))
    before = counts()
    with pytest.raises(BatchRefusedError) as caught:
        run(create("B"), create("A"), atomic=True)
    assert [one.index for one in caught.value.refused] == [1]
    assert counts() == before


@pytest.mark.usefixtures("app")
def test_answer_of_a_large_batch_is_stored_with_its_key() -> None:
    answer, key = {"items": ["refused"] * 50_000}, unique_name()  # longer than MySQL's TEXT
    with idempotency.claim("tester", key, "body") as claim:
        assert claim
        claim.store(answer)
        db.session.commit()
    with idempotency.claim("tester", key, "body") as again:
        assert again
        assert again.answer == answer


def test_batches_that_create_the_same_skus_in_opposite_orders_create_each_once(app: Flask) -> None:
    for number in range(ROUNDS):
        skus = [f"{sku}-{number}" for sku in SKUS]
        batch = [create(sku) for sku in skus]
        first, second = together(app, batch, batch[::-1])
        assert [sorted(pair) for pair in zip(first, second[::-1], strict=True)] == [["SkuTakenError", "created"]] * 60
    assert counts()[0] == ROUNDS * len(SKUS)


def test_batches_that_change_the_same_products_in_opposite_orders_each_make_a_version(app: Flask) -> None:
    run(*map(create, SKUS))
    for number in range(ROUNDS):
        batches = [[update(sku, f"{name} {number}") for sku in SKUS] for name in ("one", "two")]
        assert together(app, batches[0], batches[1][::-1]) == [["updated"] * 60] * 2
    assert set(db.session.execute(select(Product.version)).scalars()) == {1 + 2 * ROUNDS}
    assert set(db.session.execute(select(Replication.sequence)).scalars()) == {1 + 2 * ROUNDS}


def test_one_of_two_batches_with_the_same_versions_wins_each_product(app: Flask) -> None:
    run(*map(create, SKUS))
    batch = [{**update(sku, "Blue bowl"), "version": 1} for sku in SKUS]
    first, second = together(app, batch, batch[::-1])
    assert [sorted(pair) for pair in zip(first, second[::-1], strict=True)] == [["StaleVersionError", "updated"]] * 60


def test_batches_and_single_changes_of_the_same_products_do_not_hinder_each_other(app: Flask) -> None:
    run(*map(create, SKUS))
    ids = db.session.execute(select(Product.id).order_by(Product.id)).scalars().all()
    db.session.rollback()

    def edit(product_id: int) -> int:
        with app.app_context():
            change = {"price": Decimal(product_id)}
            return service.update_product(product_id, change, service.ANY_VERSION, "tester").version

    with ThreadPoolExecutor(1) as pool:
        edits = pool.map(edit, ids[::-1])
        mixed = (
            [update(sku, "Blue bowl") for sku in SKUS],
            [*map(create, ("X", "Y")), *(update(s, "Cup") for s in SKUS)],
        )
        assert together(app, *mixed) == [["updated"] * 60, ["created"] * 2 + ["updated"] * 60]
        assert len(list(edits)) == len(ids)
    versions = select(Product.version).where(Product.id.in_(ids))
    assert set(db.session.execute(versions).scalars()) == {4}


@pytest.mark.usefixtures("app")
def test_value_that_does_not_fit_its_column_is_an_error_and_not_cut_off() -> None:
    on_sqlite = db.engine.dialect.name == "sqlite"  # which has no widths
    with nullcontext() if on_sqlite else pytest.raises(DBAPIError):
        execute(insert_rows(ProductSearchTerm, ("product_id", "term"), [(1, "a"), (2, "x" * (LONGEST + 1))]))
    stored = db.session.execute(select(ProductSearchTerm.term)).scalars().all() if on_sqlite else []
    assert "x" * LONGEST not in stored
