"""The overview's chart and the states of the parts."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from admin.console import chart, parts
from admin.monitoring.lag_history import HOUR, Bucket, History
from admin.monitoring.status import ClientState, Lag, Status
from admin.reconcile.check import Summary

NOW = datetime(2026, 11, 25, 12, 0, 30)  # noqa: DTZ001 - as the database's: naive


def history(**of_minute: Bucket) -> History:
    """Return an hour without changes, except in some minutes: ``m5`` is five minutes before the current one."""
    start = NOW.replace(second=0)
    buckets = [Bucket(start - timedelta(minutes=ago), 0, 0, None, None, None) for ago in reversed(range(60))]
    for name, bucket in of_minute.items():
        place = -1 - int(name.removeprefix("m"))
        buckets[place] = replace(bucket, start=buckets[place].start)
    return History(buckets, NOW)


def bucket(changes: int, waiting: int, mean: float | None, slowest: float | None, waited: float | None) -> Bucket:
    return Bucket(NOW, changes, waiting, mean, slowest, waited)


def test_hour_without_changes_is_an_empty_chart_with_a_scale() -> None:
    drawn = chart.draw(history(), HOUR)
    assert (drawn.empty, drawn.mean, drawn.slowest, drawn.per_minute) == (True, None, None, 0)
    assert [tick.label for tick in drawn.ticks] == ["10 ms", "0.1 s", "1 s", "10 s"]
    assert len(drawn.bars) == 60


def test_bars_do_not_overlap_and_a_higher_bar_is_slower() -> None:
    drawn = chart.draw(history(m10=bucket(3, 0, 0.1, 1.0, None), m0=bucket(2, 2, None, None, 900.0)), HOUR)
    assert all(a.x + a.width < b.x for a, b in zip(drawn.bars, drawn.bars[1:], strict=False))
    arrived, waiting = drawn.bars[-11], drawn.bars[-1]
    assert arrived.mean is not None
    assert arrived.slowest is not None
    assert waiting.waiting is not None
    assert 0 < arrived.mean < arrived.slowest < waiting.waiting <= chart.HEIGHT
    assert (waiting.mean, waiting.slowest, arrived.waiting) == (None, None, None)
    assert drawn.ticks[-1].label == "1 h"


def test_mean_weighs_each_change_equally() -> None:
    drawn = chart.draw(history(m30=bucket(1, 0, 4.0, 4.0, None), m20=bucket(5, 2, 1.0, 2.0, 60.0)), HOUR)
    assert (drawn.changes, drawn.waiting, drawn.slowest) == (6, 2, 4.0)
    assert drawn.mean == pytest.approx((4.0 + 3 * 1.0) / 4)


def test_throughput_covers_the_last_minutes_including_the_current_one() -> None:
    drawn = chart.draw(
        history(m0=bucket(5, 0, 1, 1, None), m3=bucket(8, 2, 1, 1, 90.0), m9=bucket(99, 0, 1, 1, None)), HOUR
    )
    assert drawn.per_minute == pytest.approx((5 + 6) / 5.5)


def status(**changed: object) -> Status:
    client = ClientState(0, None, 0, 0, worker_seen_at=NOW - timedelta(seconds=8))
    drift = Summary(0, 0, None, [], checked_at=NOW - timedelta(seconds=8))
    queues = {"client.products": 0, "client.likes": 3}
    in_sync = Status("in_sync", 0, 0, 0, None, Lag(None, None, 0), None, drift, queues, client, None, None, None, NOW)
    return replace(in_sync, **changed)  # type: ignore[arg-type]


def test_no_advice_while_everything_runs() -> None:
    found = parts.parts(status())
    assert {part.state for part in found} == {parts.OK}
    assert not [part for part in found if part.advice]
    assert [part.text for part in found if part.name == "Broker"] == ["answers, 3 messages queued"]


@pytest.mark.parametrize(
    ("changed", "silent"),
    [
        ({"drift": Summary(0, 0, None, [], checked_at=NOW - timedelta(minutes=5))}, "Relay"),
        ({"drift": Summary(0, 0, None, [])}, "Relay"),
        ({"queues": {"client.products": None}}, "Broker"),
        ({"client": ClientState(0, None, 0, 0, worker_seen_at=NOW - timedelta(minutes=5))}, "Worker and beat"),
        ({"client": ClientState(0, None, 0, 0)}, "Worker and beat"),
        ({"client": None, "client_error": "it does not answer"}, "Client"),
    ],
)
def test_silent_part_has_advice(changed: dict[str, object], silent: str) -> None:
    found = parts.parts(status(**changed))
    assert [(part.name, bool(part.advice)) for part in found if part.state == parts.SILENT] == [(silent, True)]


def test_worker_is_unknown_and_not_silent_while_the_client_is_down() -> None:
    found = {part.name: part.state for part in parts.parts(status(client=None, client_error="away"))}
    assert found["Worker and beat"] == parts.UNKNOWN
