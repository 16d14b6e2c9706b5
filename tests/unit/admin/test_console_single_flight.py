"""Many who look at the overview at once, while an outage makes it slow."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from admin.console.single_flight import Shared


def test_who_asks_while_it_is_made_gets_the_latest_and_holds_no_thread() -> None:
    made: list[int] = []
    started, may_end = threading.Event(), threading.Event()

    def compute() -> int:
        made.append(len(made) + 1)
        if len(made) > 1:
            started.set()
            assert may_end.wait(10)
        return made[-1]

    shared = Shared(compute, fresh=0.0)
    assert shared.get() == 1
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(shared.get)
        assert started.wait(10)
        assert [shared.get() for _viewer in range(20)] == [1] * 20
        may_end.set()
        assert slow.result(10) == 2
    assert made == [1, 2]


def test_result_is_made_anew_once_it_is_old() -> None:
    results = iter((1, 2))
    fresh = Shared(lambda: next(results), fresh=60.0)
    assert (fresh.get(), fresh.get()) == (1, 1)
    old = Shared(lambda: next(results), fresh=0.0)
    assert old.get() == 2


def test_failure_is_told_and_not_kept() -> None:
    outcomes = iter((ValueError("the database is away"), None))

    def compute() -> int:
        if error := next(outcomes):
            raise error
        return 1

    shared = Shared(compute, fresh=60.0)
    with pytest.raises(ValueError, match="away"):
        shared.get()
    assert shared.get() == 1
