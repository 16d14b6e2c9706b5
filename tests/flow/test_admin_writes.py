"""Writes and claims on MariaDB and SQLite: versions, locks and the outbox are correct under concurrency."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from admin.catalogue import service
from admin.catalogue.messages import current_messages
from admin.catalogue.models import ProductRow
from admin.catalogue.search_terms import ProductSearchTerm
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.db.writes import delete_rows, execute, insert_rows
from admin.likes import service as likes
from admin.likes.models import LikeCount
from admin.outbox.models import FRESH, SENT, LaneProgress, ProductChange, Replication, SyncState
from admin.relay import claims
from admin.relay.loop import RESEND_AFTER
from admin.relay.verify import Verdict
from contract.messages import LikeChanged
from contract.names import INTERACTIVE
from tests.flow.stores import CONTENT


def create(sku: str = "MUG-1") -> ProductRow:
    return service.create_product({**CONTENT, "sku": sku, "price": Decimal("12.50")}, "tester")


def replication(product_id: int) -> Replication:
    db.session.rollback()
    row: Replication = db.session.execute(
        select(Replication).filter_by(product_id=product_id).execution_options(populate_existing=True)
    ).scalar_one()
    db.session.rollback()
    return row


def make_due() -> None:
    db.session.execute(update(Replication).values(due_at=utc_now()))
    db.session.commit()


@pytest.mark.usefixtures("app")
def test_every_change_raises_the_version_and_makes_the_row_pending() -> None:
    product = create()
    service.update_product(product.id, {"title": "Blue mug"}, {1}, "tester")
    service.delete_product(product.id, {2}, "tester")
    row = replication(product.id)
    assert (row.sequence, row.state, row.verified_sequence) == (3, FRESH, 0)
    assert row.pending_since is not None
    log = db.session.execute(select(ProductChange.kind, ProductChange.sequence).order_by(ProductChange.id)).all()
    assert [tuple(entry) for entry in log] == [("created", 1), ("updated", 2), ("deleted", 3)]


@pytest.mark.usefixtures("app")
def test_unchanged_update_makes_no_version() -> None:
    product = create()
    assert service.update_product(product.id, {"price": Decimal("12.5")}, {1}, "tester").version == 1
    assert replication(product.id).sequence == 1


def test_concurrent_updates_of_one_product_each_get_their_own_version(app: Flask) -> None:
    product_id = create().id

    def edit(number: int) -> int:
        with app.app_context():
            return service.update_product(
                product_id, {"title": f"Edit {number}"}, service.ANY_VERSION, "tester"
            ).version

    with ThreadPoolExecutor(4) as pool:
        versions = sorted(pool.map(edit, range(40)))
    assert versions == list(range(2, 42))
    assert replication(product_id).sequence == 41


def test_one_of_two_edits_of_the_same_version_wins(app: Flask) -> None:
    product_id = create().id

    def edit(number: int) -> str:
        with app.app_context():
            try:
                service.update_product(product_id, {"title": f"Edit {number}"}, {1}, "tester")
            except service.StaleVersionError:
                return "stale"
            return "won"

    with ThreadPoolExecutor(4) as pool:
        assert Counter(pool.map(edit, range(8))) == {"won": 1, "stale": 7}


def test_two_relays_never_claim_the_same_row(app: Flask) -> None:
    ids = [create(f"SKU-{number}").id for number in range(40)]
    make_due()

    def claim(_: int) -> list[int]:
        with app.app_context():
            return [row.product_id for row in claims.claim(INTERACTIVE, (FRESH,), 7)]

    with ThreadPoolExecutor(4) as pool:
        claimed = [product_id for batch in pool.map(claim, range(10)) for product_id in batch]
    assert len(claimed) == len(set(claimed))
    rest = claims.claim(INTERACTIVE, (FRESH,), 100)
    assert sorted(claimed + [row.product_id for row in rest]) == ids


@pytest.mark.usefixtures("app")
def test_claimed_row_that_changes_meanwhile_is_fresh_again() -> None:
    product_id = create().id
    make_due()
    claimed = claims.claim(INTERACTIVE, (FRESH,), 10)
    assert replication(product_id).state == SENT
    service.update_product(product_id, {"title": "Blue mug"}, service.ANY_VERSION, "tester")
    claims.release(claimed)  # speaks of the older sequence: must not touch the newer one
    claims.mark_sent(claimed, [])
    row = replication(product_id)
    assert (row.sequence, row.state, row.sent_at) == (2, FRESH, None)


WRITES: dict[str, Callable[[int, service.BeforeCommit], object]] = {
    "create": lambda _id, hook: service.create_product(
        {**CONTENT, "sku": "SECOND", "price": Decimal(1)}, "tester", before_commit=hook
    ),
    "update": lambda id_, hook: service.update_product(
        id_, {"title": "Blue mug"}, service.ANY_VERSION, "tester", before_commit=hook
    ),
    "restore": lambda id_, hook: service.restore_product(
        id_, service.ANY_VERSION, "tester", {"title": "Blue"}, before_commit=hook
    ),
}


@pytest.mark.parametrize("kind", WRITES)
def test_new_epoch_waits_for_the_writes_of_the_old_one(app: Flask, kind: str) -> None:
    product_id = create().id
    if kind == "restore":
        service.delete_product(product_id, service.ANY_VERSION, "tester")
    waited: list[bool] = []

    def raise_epoch() -> None:
        with app.app_context():
            db.session.execute(update(SyncState).values(epoch=SyncState.epoch))
            db.session.commit()

    with ThreadPoolExecutor(1) as pool:

        def begin_recovery(_product: ProductRow) -> None:
            raised = pool.submit(raise_epoch)
            waited.append(not wait([raised], timeout=0.3).done)

        WRITES[kind](product_id, begin_recovery)
    assert waited == [True]


@pytest.mark.usefixtures("app")
def test_error_in_any_statement_of_a_command_is_raised_and_nothing_is_stored() -> None:
    db.session.rollback()
    with pytest.raises(IntegrityError):
        execute(
            insert_rows(ProductSearchTerm, ("product_id", "term"), [(1, "mug")]),
            insert_rows(ProductSearchTerm, ("product_id", "term"), [(1, "mug")]),
            delete_rows(ProductSearchTerm, [2]),
        )
    db.session.rollback()
    assert db.session.execute(select(ProductSearchTerm)).first() is None


def test_writers_are_not_blocked_while_claims_exhaust_the_due_rows(app: Flask) -> None:
    first = create("FIRST").id
    make_due()
    claims.claim(INTERACTIVE, (FRESH,), 100)
    with ThreadPoolExecutor(1) as pool:

        def write() -> int:
            with app.app_context():
                return create("SECOND").id

        assert pool.submit(write).result(timeout=4) > first


@pytest.mark.usefixtures("app")
def test_row_due_far_ahead_is_made_due() -> None:
    product_id = create().id
    now = db.session.execute(select(utc_now())).scalar_one()
    db.session.execute(update(Replication).values(due_at=now + timedelta(days=400)))
    db.session.commit()
    assert claims.make_far_future_due() == 1
    assert [row.product_id for row in claims.claim(INTERACTIVE, (FRESH,), 10)] == [product_id]


@pytest.mark.usefixtures("app")
def test_row_sent_before_the_clock_was_set_back_is_sent_again_and_no_attempt_is_counted() -> None:
    create()
    now = db.session.execute(select(utc_now())).scalar_one()
    hour = {"sent_at": now + timedelta(hours=1), "due_at": now + timedelta(hours=1)}
    db.session.execute(update(Replication).values(state=SENT, **hour))
    db.session.add(LaneProgress(lane=INTERACTIVE, verified_sent_at=now + timedelta(hours=2)))
    db.session.commit()
    assert claims.make_far_future_due() == 1
    [row] = claims.claim(INTERACTIVE, (SENT,), 10)
    assert claims.time_in_flight(row) > RESEND_AFTER
    arrived_upto = db.session.execute(select(LaneProgress.verified_sent_at)).scalar_one()
    assert not Verdict([row], [], arrived_upto).lost(row)


@pytest.mark.usefixtures("app")
def test_current_messages_have_matching_state_and_sequence() -> None:
    kept, gone = create("KEPT"), create("GONE")
    service.delete_product(gone.id, service.ANY_VERSION, "tester")
    first, second = current_messages([kept.id, gone.id])
    assert (first.id, first.sequence, first.product and first.product.sku) == (kept.id, 1, "KEPT")
    assert (second.id, second.sequence, second.product) == (gone.id, 2, None)


def test_product_in_many_concurrent_batches_counts_each_shopper_once(app: Flask) -> None:
    hot, other = create("HOT").id, create("OTHER").id
    batches = [
        [LikeChanged(p, f"user{n}", 1, True) for n in range(start, start + 10) for p in (hot, other)]
        for start in range(0, 100, 5)  # overlapping: most likes come twice
    ]

    def take(batch: list[LikeChanged]) -> None:
        with app.app_context():
            likes.apply_likes(batch)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, batches))
    counts = dict(db.session.execute(select(LikeCount.product_id, LikeCount.likes)).tuples().all())
    assert counts == {hot: 105, other: 105}
