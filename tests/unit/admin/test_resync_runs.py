"""Resync runs: another relay continues the run of one that died, and a run shows its progress."""

import pytest
from flask import Flask
from sqlalchemy import select, update

from admin.db.extensions import db
from admin.outbox.models import FRESH, STUCK, VERIFIED, Replication
from admin.relay import resync_runs
from tests.unit.admin.catalogue import VERIFY_ALL, Api, change


@pytest.fixture
def five(app: Flask, editor: Api) -> list[int]:
    """Five verified products."""
    ids = [int(editor.create(sku=f"P-{number}")["id"]) for number in range(5)]
    change(app, VERIFY_ALL)
    return ids


def states() -> list[str]:
    return list(db.session.execute(select(Replication.state).order_by(Replication.product_id)).scalars())


@pytest.mark.usefixtures("five")
def test_run_advances_in_chunks_and_shows_its_progress(app: Flask) -> None:
    with app.app_context():
        resync_runs.request(resync_runs.ALL, "me")
        seen = []
        while resync_runs.advance(2):
            [progress] = resync_runs.latest()
            seen.append((progress.run.marked, progress.pending, progress.busy, bool(progress.run.finished_at)))
        assert seen == [(2, 2, True, False), (4, 4, True, False), (5, 5, True, False), (5, 5, True, True)]
        assert states() == [FRESH] * 5
        db.session.execute(VERIFY_ALL)
        db.session.commit()
        [progress] = resync_runs.latest()
        assert (progress.run.total, progress.done, progress.busy) == (5, 5, False)


@pytest.mark.usefixtures("five")
def test_products_of_a_run_have_its_request_id(app: Flask) -> None:
    with app.app_context():
        run = resync_runs.request(resync_runs.ALL, "me")
        resync_runs.advance()
        causes = set(db.session.execute(select(Replication.request_id)).scalars())
        assert causes == {f"resync-{run.id}"}


@pytest.mark.usefixtures("five")
def test_second_request_returns_the_running_run(app: Flask) -> None:
    with app.app_context():
        first = resync_runs.request(resync_runs.ALL, "me").id
        assert resync_runs.request(resync_runs.ALL, "you").id == first
        while resync_runs.advance(2):
            pass
        assert resync_runs.request(resync_runs.ALL, "you").id != first


def test_run_over_stuck_products_leaves_the_others(app: Flask, five: list[int]) -> None:
    with app.app_context():
        poison = update(Replication).where(Replication.product_id.in_(five[1:4])).values(state=STUCK)
        db.session.execute(poison)
        db.session.commit()
        resync_runs.request(resync_runs.STUCK, "me")
        while resync_runs.advance(2):
            pass
        assert states() == [VERIFIED, FRESH, FRESH, FRESH, VERIFIED]


@pytest.mark.usefixtures("five")
def test_stopped_run_makes_no_more_products_pending(app: Flask) -> None:
    with app.app_context():
        run = resync_runs.request(resync_runs.ALL, "me")
        resync_runs.advance(2)
        resync_runs.stop(run.id, "you")
        assert not resync_runs.advance(2)
        [progress] = resync_runs.latest()
        assert (progress.run.marked, progress.run.stopped_by) == (2, "you")
        assert states() == [FRESH, FRESH, VERIFIED, VERIFIED, VERIFIED]
        resync_runs.stop(run.id, "someone else")
        assert resync_runs.latest()[0].run.stopped_by == "you"
