"""The lag over time: changes that arrived, changes that wait, and times outside the sample."""

import itertools
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select

from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.monitoring import lag_history
from admin.monitoring.lag_history import DAY, HOUR, Bucket, Span
from admin.outbox.models import ProductChange


def add(now: datetime, ago: float, lag: float | None, verified: bool = True) -> None:
    """Log a change of ``ago`` seconds ago that arrived after ``lag`` seconds; None: it never was applied."""
    changed = now - timedelta(seconds=ago)
    values = {
        "product_id": 1,
        "sequence": 1,
        "kind": "updated",
        "author": "me",
        "changed_at": changed,
        "applied_at": None if lag is None else changed + timedelta(seconds=lag),
        "verified_at": now if verified else None,
    }
    db.session.execute(insert(ProductChange).values(values))


def history(app: Flask, span: Span, *changes: tuple[float, float | None, bool]) -> list[Bucket]:
    with app.app_context():
        now = db.session.execute(select(utc_now())).scalar_one()
        for change in changes:
            add(now, *change)
        db.session.commit()
        return lag_history.lag_history(span).buckets


@pytest.mark.parametrize("span", [HOUR, DAY])
def test_time_without_changes_gives_empty_buckets_not_zero_lag(app: Flask, span: Span) -> None:
    found = history(app, span)
    assert len(found) == span.parts
    assert {later.start - sooner.start for sooner, later in itertools.pairwise(found)} == {span.width}
    assert {(b.changes, b.waiting, b.mean, b.slowest, b.waited, b.known) for b in found} == {
        (0, 0, None, None, None, True)
    }


def test_bucket_has_mean_and_slowest_of_arrived_changes(app: Flask) -> None:
    minute = timedelta(minutes=1)
    width = minute.total_seconds()
    with app.app_context():
        now = db.session.execute(select(utc_now())).scalar_one()
        db.session.rollback()
    into = now.second + now.microsecond / 1e6  # of the minute that runs
    ago = into + 5 * width + 30  # in the middle of another one
    found = history(app, HOUR, (ago, 0.5, True), (ago, 1.5, True), (ago - 1, None, True), (ago, -0.003, True))
    [bucket] = [bucket for bucket in found if bucket.changes]
    assert (bucket.changes, bucket.waiting, bucket.waited) == (4, 0, None)
    assert (bucket.mean, bucket.slowest) == (pytest.approx(0.666, abs=0.01), pytest.approx(1.5, abs=0.01))


def test_change_that_has_not_arrived_counts_with_its_age(app: Flask) -> None:
    found = history(app, HOUR, (600, None, False), (630, 2.0, True), (1200, None, False))
    waiting = [bucket for bucket in found if bucket.waiting]
    assert [round(bucket.waited or 0, -1) for bucket in waiting] == [1200, 600]
    assert sum(bucket.changes for bucket in found) == 3


def test_changes_beyond_the_span_are_left_out(app: Flask) -> None:
    found = history(app, HOUR, (2 * 3600, 1.0, True), (3000, 1.0, True))
    assert sum(bucket.changes for bucket in found) == 1
