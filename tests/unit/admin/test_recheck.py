"""The recheck schedule: while rows of a lane arrive, the rows sent first are rechecked before their backoff ends."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from admin.db.extensions import db
from admin.outbox.models import SENT, Replication
from admin.relay import claims
from admin.relay.recheck import RecheckSchedule
from admin.relay.verify import Verdict
from contract.names import BULK, INTERACTIVE
from tests.unit.admin.catalogue import Api

BACKOFF = timedelta(seconds=15)


@pytest.fixture
def rows(app: Flask, editor: Api) -> list[Replication]:
    """Four rows, sent by twos, 20 and 10 seconds ago, due in 15 seconds."""
    for sku in "ABCD":
        editor.create(sku=sku)
    now = datetime.now(UTC).replace(tzinfo=None)
    with app.app_context():
        return [_sent(id_, now, ago=20 if id_ < 3 else 10) for id_ in range(1, 5)]


def _sent(product_id: int, now: datetime, ago: float) -> Replication:
    sent = {"state": SENT, "sent_at": now - timedelta(seconds=ago), "due_at": now + BACKOFF}
    db.session.execute(update(Replication).filter_by(product_id=product_id).values(sent))
    db.session.commit()
    row = db.session.execute(select(Replication).filter_by(product_id=product_id)).scalar_one()
    db.session.expunge(row)
    return row


def _paced(*groups: list[Replication]) -> RecheckSchedule:
    pace = RecheckSchedule()
    for group in groups:
        claim = [Replication(product_id=row.product_id, sequence=row.sequence, due_at=row.sent_at) for row in group]
        pace.sent(INTERACTIVE, claim)
    return pace


def _ids(rows: list[Replication]) -> list[int]:
    return [row.product_id for row in rows]


def test_claim_sent_next_follows_one_that_arrived_whole(rows: list[Replication]) -> None:
    pace = _paced(rows[:2], rows[2:])
    assert _ids(pace.due_soon(INTERACTIVE, rows[:2], Verdict([], [], rows[1].sent_at))) == [3, 4]
    assert _ids(pace.due_soon(INTERACTIVE, rows[2:], Verdict(rows[2:], [], rows[1].sent_at))) == [3, 4], (
        "any moment now"
    )
    assert pace.due_soon(INTERACTIVE, rows[2:], Verdict([], [], rows[3].sent_at)) == []


def test_remaining_rows_of_a_claim_come_before_the_next_claim(rows: list[Replication]) -> None:
    pace = _paced(rows[:2], rows[2:])
    assert _ids(pace.due_soon(INTERACTIVE, rows[:2], Verdict(rows[1:2], [], rows[1].sent_at))) == [2]


def test_lane_without_arrivals_waits_for_its_backoff(rows: list[Replication]) -> None:
    pace = _paced(rows[:2], rows[2:])
    assert pace.due_soon(INTERACTIVE, rows[:2], Verdict(rows[:2], [], None)) == []
    pace.due_soon(BULK, rows[:2], Verdict([], [], rows[1].sent_at))
    assert pace.due_soon(INTERACTIVE, rows[:2], Verdict(rows[:2], [], None)) == [], (
        "another lane's arrivals say nothing"
    )


def test_lanes_are_active_after_the_broker_recovered(rows: list[Replication]) -> None:
    pace = _paced(rows[:2], rows[2:])
    pace.broker_recovered()
    assert _ids(pace.due_soon(INTERACTIVE, rows[:2], Verdict(rows[:2], [], None))) == [1, 2]


@pytest.mark.parametrize("all_of_them", [False, True])
def test_rows_with_lost_attempts_wait_for_their_backoff(app: Flask, rows: list[Replication], all_of_them: bool) -> None:
    with app.app_context():
        db.session.execute(update(Replication).filter_by(product_id=1).values(attempts=1))
        db.session.commit()
        if all_of_them:
            claims.expedite_all()
        else:
            claims.expedite(rows[:2])
        due = dict(db.session.execute(select(Replication.product_id, Replication.due_at)).tuples().all())
    now = datetime.now(UTC).replace(tzinfo=None)
    soon = [id_ for id_, at in due.items() if at and at - now < BACKOFF / 2]
    assert soon == ([2, 3, 4] if all_of_them else [2])
