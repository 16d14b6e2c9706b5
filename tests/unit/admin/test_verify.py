"""Verification with a fake Client: attempts, stuck rows, restore detection and recovery."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from admin.catalogue.service import ANY_VERSION, create_product, delete_product, update_product
from admin.db.extensions import db
from admin.outbox.client_gateway import Answer, ClientUnavailableError
from admin.outbox.models import FRESH, SENT, STUCK, VERIFIED, ProductChange, Replication, SyncGeneration
from admin.relay import claims, recovery, restore_detection
from admin.relay.claims import STUCK_AFTER
from admin.relay.restore_detection import RestoredError
from admin.relay.verify import OTHER_CONTENT, verify
from contract.names import INTERACTIVE
from contract.service_calls import ReplicaState
from contract.versions import compose, version_of
from tests.unit.admin.catalogue import CONTENT


class FakeClient:
    """A Client that stores the given states, and generations as the real one does."""

    def __init__(self) -> None:
        self.states: dict[int, ReplicaState] = {}
        self.generation = self.epoch = 0
        self.away = self.loses_answer = False
        self.extent = {"highest_id": 0, "highest_sequence": 0, "live": 0, "deleted": 0}

    def replica_states(
        self, product_ids: Sequence[int], generation: int = 0, epoch: int = 0, acknowledged: int = 0
    ) -> Answer:
        if self.away:
            raise ClientUnavailableError
        known, self.epoch = self.generation, max(self.epoch, epoch)
        self.generation = max(known, generation) if acknowledged < 0 or acknowledged == known else known
        if self.loses_answer:
            raise ClientUnavailableError
        found = {id_: self.states[id_] for id_ in product_ids if id_ in self.states}
        return Answer(found, known, datetime.now(UTC).replace(tzinfo=None))

    def ask(self, path: str, body: Any, timeout: float = 0) -> Any:
        assert path == "/service/v1/products/extent"
        return self.extent

    def stores(self, row: Replication, **other: Any) -> None:
        """Store exactly the state of ``row``, except for ``other``."""
        now = datetime.now(UTC).replace(tzinfo=None)
        state = {
            "id": row.product_id,
            "sequence": row.sequence,
            "checksum": row.checksum,
            "applied_at": now,
            "failed_sequence": 0,
            "failure": None,
        }
        self.states[row.product_id] = ReplicaState(**{**state, **other})


@pytest.fixture
def shop(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClient]:
    """The fake Client, inside Admin's context."""
    fake = FakeClient()
    monkeypatch.setitem(app.extensions, "client_gateway", fake)
    with app.app_context():
        yield fake


def create(sku: str = "MUG-1") -> Replication:
    return row_of(create_product({**CONTENT, "sku": sku, "price": Decimal("12.50")}, "tester").id)


def row_of(product_id: int) -> Replication:
    query = select(Replication).filter_by(product_id=product_id).execution_options(populate_existing=True)
    row: Replication = db.session.execute(query).scalar_one()
    db.session.expunge(row)
    db.session.rollback()
    return row


def sent(*rows: Replication, ago: float = 0.0) -> list[Replication]:
    """Record that the relay sent ``rows``, ``ago`` seconds ago; return them as a claim does."""
    moment = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=ago)
    ids = [row.product_id for row in rows]
    change = update(Replication).where(Replication.product_id.in_(ids))
    db.session.execute(change.values(state=SENT, sent_at=moment))
    db.session.commit()
    return [row_of(id_) for id_ in ids]


def send_again(row: Replication) -> None:
    """Verify a row and send it again, as the relay does where it did not arrive."""
    verdict = verify([row], INTERACTIVE)
    claims.mark_sent([row], [row] if verdict.lost(row) else [])


def test_stored_state_is_verified_with_its_history(shop: FakeClient) -> None:
    row = create()
    update_product(row.product_id, {"title": "Blue mug"}, {1}, "tester")
    row = row_of(row.product_id)
    shop.stores(row)
    verdict = verify([row], INTERACTIVE)
    assert (verdict.missing, verdict.differing) == ([], [])
    row = row_of(row.product_id)
    assert (row.state, row.verified_sequence, row.pending_since, row.due_at) == (VERIFIED, 2, None, None)
    first, second = db.session.execute(select(ProductChange).order_by(ProductChange.sequence)).scalars()
    assert (first.applied_at, bool(first.verified_at)) == (None, True), "it may never have been applied"
    assert abs(second.applied_at - second.changed_at) < timedelta(seconds=5)


def test_other_content_at_the_same_version_needs_a_repair(shop: FakeClient) -> None:
    row = create()
    shop.stores(row, checksum="other")
    verdict = verify([row], INTERACTIVE)
    assert (verdict.missing, [r.product_id for r in verdict.differing]) == ([], [row.product_id])
    assert row_of(row.product_id).last_error == OTHER_CONTENT


@pytest.mark.parametrize("stored_sequence", [1, 7])
def test_older_and_newer_states_verify_nothing(shop: FakeClient, stored_sequence: int) -> None:
    row = create()
    update_product(row.product_id, {"title": "Blue mug"}, {1}, "tester")
    row = row_of(row.product_id)
    shop.stores(row, sequence=stored_sequence)
    verdict = verify([row], INTERACTIVE)
    assert [verdict.missing, verdict.differing] == ([[row], []] if stored_sequence < 2 else [[], [row]])
    assert row_of(row.product_id).state == FRESH
    assert bool(row_of(row.product_id).last_error) == (stored_sequence > 2)


def test_product_changed_after_the_claim_is_not_verified_by_its_older_state(shop: FakeClient) -> None:
    claimed = create()
    shop.stores(claimed)
    update_product(claimed.product_id, {"title": "Blue mug"}, {1}, "tester")
    verify([claimed], INTERACTIVE)
    assert row_of(claimed.product_id).state == FRESH


def test_tombstone_is_verified_like_any_state(shop: FakeClient) -> None:
    row = create()
    delete_product(row.product_id, ANY_VERSION, "tester")
    row = row_of(row.product_id)
    shop.stores(row)
    verify([row], INTERACTIVE)
    assert row_of(row.product_id).state == VERIFIED


@pytest.mark.usefixtures("shop")
def test_outage_counts_no_attempts() -> None:
    (row,) = sent(create(), ago=3_600)
    for _ in range(3 * STUCK_AFTER):
        send_again(row)
        row = row_of(row.product_id)
    assert (row.state, row.attempts) == (SENT, 0)


def test_row_lost_repeatedly_while_later_ones_arrive_is_stuck_with_the_clients_reason(shop: FakeClient) -> None:
    poison, neighbour = create("POISON"), create("GOOD")
    for lost in range(1, STUCK_AFTER + 1):
        (poison,) = sent(poison, ago=10)
        (neighbour,) = sent(neighbour)
        shop.stores(neighbour)
        verify([neighbour], INTERACTIVE)
        shop.stores(poison, sequence=0, checksum="", failed_sequence=1, failure="price must be a number")
        for _ in range(3):
            verify([poison], INTERACTIVE)
        assert row_of(poison.product_id).attempts == lost - 1, "rechecks alone count no attempt"
        send_again(poison)
        poison = row_of(poison.product_id)
        assert poison.attempts == lost
    assert (poison.state, poison.last_error) == (STUCK, "price must be a number")
    change = db.session.execute(select(ProductChange).filter_by(product_id=poison.product_id)).scalar_one()
    assert (change.attempts, change.error) == (STUCK_AFTER, "price must be a number")
    assert claims.backoff(poison) >= claims.STUCK_BACKOFF, "still retried, slowly"


def test_generations_rise_and_are_acknowledged_while_nothing_was_restored(shop: FakeClient) -> None:
    seen = []
    for _ in range(3):
        restore_detection.ask([])
        seen.append(shop.generation)
    assert seen == sorted(set(seen)), "each is higher"
    assert alarm() is None


def test_client_below_the_generation_it_acknowledged_was_restored(shop: FakeClient) -> None:
    row = create()
    shop.stores(row)
    restore_detection.ask([])
    restore_detection.ask([])
    shop.generation = 1
    with pytest.raises(RestoredError, match="client"):
        verify([row], INTERACTIVE)
    assert alarm() == "client"
    with pytest.raises(RestoredError):
        verify([row], INTERACTIVE)
    assert row_of(row.product_id).state == FRESH, "nothing is verified during the alarm"


def test_client_above_every_generation_that_admin_sent_shows_that_admin_was_restored(shop: FakeClient) -> None:
    shop.generation = 50
    with pytest.raises(RestoredError, match="admin"):
        restore_detection.ask([])
    assert alarm() == "admin"


def test_restored_admin_is_detected_after_any_number_of_unanswered_calls(shop: FakeClient) -> None:
    shop.generation, shop.away = 5, True
    for _ in range(10):
        with pytest.raises(ClientUnavailableError):
            restore_detection.ask([])
    shop.away = False
    with pytest.raises(RestoredError, match="admin"):
        restore_detection.ask([])


def test_admin_restored_to_just_before_its_last_call_is_detected(shop: FakeClient) -> None:
    restore_detection.ask([])
    backup = db.session.execute(select(SyncGeneration.raised, SyncGeneration.acknowledged)).one()._asdict()
    restore_detection.ask([])
    db.session.execute(update(SyncGeneration).values(**backup))
    shop.loses_answer = True
    with pytest.raises(ClientUnavailableError):
        restore_detection.ask([])
    shop.loses_answer = False
    with pytest.raises(RestoredError, match="admin"):
        restore_detection.ask([])


@pytest.mark.usefixtures("shop")
def test_new_client_counts_as_not_restored() -> None:
    restore_detection.ask([])
    assert alarm() is None


def test_recovery_starts_an_epoch_above_both_sides_and_sends_everything_again(shop: FakeClient) -> None:
    live, gone = create("LIVE"), create("GONE")
    delete_product(gone.product_id, ANY_VERSION, "tester")
    shop.generation = 50
    with pytest.raises(RestoredError):
        restore_detection.ask([])
    shop.extent |= {"highest_id": 500, "highest_sequence": compose(4, 9)}
    assert recovery.recover() == recovery.Recovery(epoch=5, products=2)
    assert [row_of(r.product_id).sequence for r in (live, gone)] == [compose(5, 1), compose(5, 2)]
    assert row_of(live.product_id).state == FRESH
    assert (alarm(), shop.epoch) == (None, 5)
    newcomer = create("NEW")
    assert newcomer.product_id > 500
    assert (newcomer.sequence, version_of(newcomer.sequence)) == (compose(5, 1), 1)
    restore_detection.ask([])
    assert alarm() is None


@pytest.mark.usefixtures("shop")
def test_repeated_recovery_is_harmless() -> None:
    create()
    assert [recovery.recover(), recovery.recover()] == [recovery.Recovery(1, 1), recovery.Recovery(2, 1)]


def alarm() -> str | None:
    found: str | None = db.session.execute(select(SyncGeneration.alarm)).scalar_one()
    db.session.rollback()
    return found
