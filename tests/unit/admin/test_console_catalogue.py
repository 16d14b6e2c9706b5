"""The console's lists of products by sync state, and their pages."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from admin.console import product_list
from admin.console.product_list import DELETED, DRIFTED, IN_SYNC, LISTS, PENDING, STUCK_ROW, Wanted
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.outbox.models import STUCK, VERIFIED, Replication
from admin.reconcile.models import Drift
from tests.flow.sql_log import recorded
from tests.unit.admin.catalogue import Api


@pytest.fixture
def shelf(app: Flask, editor: Api) -> dict[str, int]:
    """One product in each state, by sku, and a document that only the Client has."""
    names = ("VERIFIED", "FRESH", "STUCK", "DRIFT", "GONE")
    ids = {name: int(editor.create(sku=name, title=f"The {name.lower()} one")["id"]) for name in names}
    editor.delete(ids["GONE"])
    with app.app_context():
        verified = [ids["VERIFIED"], ids["DRIFT"], ids["GONE"]]
        done = {"state": VERIFIED, "pending_since": None, "due_at": None}
        db.session.execute(update(Replication).where(Replication.product_id.in_(verified)).values(**done))
        poison = {"state": STUCK, "attempts": 5, "last_error": "the price is not a number"}
        db.session.execute(update(Replication).where(Replication.product_id == ids["STUCK"]).values(**poison))
        now = db.session.execute(select(utc_now())).scalar_one()
        for product_id, kind, confirmed in (
            (ids["DRIFT"], "stale", now),
            (999, "orphaned", now),
            (ids["FRESH"], "stale", None),
        ):
            times = {"first_seen_at": now - timedelta(hours=1), "checked_at": now, "confirmed_at": confirmed}
            db.session.add(Drift(product_id=product_id, kind=kind, replica_sequence=1, replica_checksum="x", **times))
        db.session.commit()
    return ids


def skus(app: Flask, wanted: Wanted, limit: int = 10) -> list[str]:
    """Read all pages."""
    found: list[str] = []
    cursor = None
    with app.app_context():
        while True:
            page = product_list.find(wanted, limit, cursor)
            found += [line.product.sku if line.product else f"#{line.id}" for line in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("limit", [1, 2, 10])
@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("", ["DRIFT", "FRESH", "STUCK", "VERIFIED"]),
        (IN_SYNC, ["VERIFIED"]),
        (PENDING, ["FRESH"]),
        (STUCK_ROW, ["STUCK"]),
        (DRIFTED, ["DRIFT", "#999"]),
        (DELETED, ["GONE"]),
    ],
)
def test_each_list_has_the_products_in_its_state(app: Flask, listed: str, found: list[str], limit: int) -> None:
    assert skus(app, Wanted(listed, sort="sku"), limit) == found


def test_line_shows_reason_and_time(app: Flask, shelf: dict[str, int]) -> None:
    with app.app_context():
        lines = {name: product_list.one(product_id) for name, product_id in shelf.items()}
        assert product_list.one(12345) is None
    syncs = {name: line.sync for name, line in lines.items() if line}
    assert {name: sync.state for name, sync in syncs.items()} == {
        "VERIFIED": IN_SYNC,
        "FRESH": PENDING,  # a suspicion is no drift, and neither is what is under way
        "STUCK": STUCK_ROW,
        "DRIFT": DRIFTED,
        "GONE": IN_SYNC,
    }
    assert (syncs["STUCK"].reason, syncs["STUCK"].attempts) == ("the price is not a number", 5)
    assert syncs["FRESH"].since is not None
    assert syncs["VERIFIED"].since is None


def test_lines_are_read_once_and_need_no_row_afterwards(app: Flask, shelf: dict[str, int]) -> None:
    with app.app_context(), recorded() as statements:
        lines = product_list.some(list(shelf.values()))
        db.session.execute(delete(Drift))
        db.session.commit()
        assert [line.product.sku for line in lines if line.product] == list(shelf)
    reads = [statement.start for statement in statements if statement.text.startswith("SELECT")]
    assert reads == ["SELECT products", "SELECT like_counts"]


@pytest.mark.usefixtures("shelf")
def test_counts_cover_pending_stuck_and_drifted_products(app: Flask) -> None:
    with app.app_context():
        assert product_list.counts() == {PENDING: 1, STUCK_ROW: 1, DRIFTED: 2}


def test_edit_makes_a_verified_product_pending_at_once(app: Flask, editor: Api, shelf: dict[str, int]) -> None:
    editor.patch(shelf["VERIFIED"], "*", title="Another title")
    assert "VERIFIED" in skus(app, Wanted(PENDING))
    assert skus(app, Wanted(IN_SYNC)) == []


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("listed", LISTS)
def test_search_and_category_narrow_every_list(app: Flask, listed: str) -> None:
    everything = set(skus(app, Wanted(listed, sort="sku"))) - {"#999"}
    for sku in everything:
        assert skus(app, Wanted(listed, q=f"the {sku}", sort="sku")) == [sku]
    assert skus(app, Wanted(listed, q="no such words")) == []
    assert skus(app, Wanted(listed, category="Garden")) == []
    assert set(skus(app, Wanted(listed, category="Kitchen"))) == everything


@pytest.mark.parametrize("sort", ["title", "price", "-price"])
def test_pages_neither_repeat_nor_skip_equal_sort_values(app: Flask, editor: Api, sort: str) -> None:
    for number in range(7):
        editor.create(
            sku=f"T-{number}", title="Same" if number % 2 else "Other", price="9.00" if number % 3 else "1.00"
        )
    found = skus(app, Wanted(sort=sort), limit=2)
    assert sorted(found) == [f"T-{number}" for number in range(7)]
    assert found[0] == {"title": "T-0", "price": "T-0", "-price": "T-5"}[sort]
