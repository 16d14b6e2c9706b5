"""A result that many threads share: computed by one at a time, replaced when it is old, never an error."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from web.pages.shared import Shared


class Counter:
    """Computes 1, 2, 3, …; from the second on, each waits until the test lets it end."""

    def __init__(self) -> None:
        self.computed = 0
        self.started, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> int:
        self.computed += 1
        if self.computed > 1:
            self.started.set()
            assert self.may_end.wait(10)
        return self.computed


@contextmanager
def second_computation(counter: Counter, get: Callable[[], int]) -> Iterator[None]:
    """Compute the first result, and run the block while another thread computes the second."""
    assert get() == 1
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(get)
        try:
            assert counter.started.wait(10)
            yield
        finally:
            counter.may_end.set()
        assert slow.result(10) == 2


def test_many_threads_compute_once() -> None:
    counter = Counter()
    shared = Shared(counter, seconds=60)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: shared.get(), range(100))) == [1] * 100
    assert counter.computed == 1


def test_others_get_the_last_result_while_the_next_is_computed() -> None:
    counter = Counter()
    shared = Shared(counter, seconds=0)
    with second_computation(counter, shared.get):
        assert [shared.get() for _viewer in range(20)] == [1] * 20
    assert counter.computed == 2


def test_others_wait_when_the_last_result_is_too_old() -> None:
    counter = Counter()
    shared = Shared(counter, seconds=0, usable=0.01)
    with ThreadPoolExecutor(1) as waiting, second_computation(counter, shared.get):
        time.sleep(0.02)  # the last result becomes too old
        result = waiting.submit(shared.get)
        time.sleep(0.05)
        assert not result.done()
        counter.may_end.set()
        assert result.result(10) >= 2


def test_result_is_computed_again_after_its_time() -> None:
    results = iter((1, 2))
    assert [Shared(lambda: 1, seconds=60).get() for _ in range(2)] == [1, 1]
    short = Shared(lambda: next(results), seconds=0)
    assert (short.get(), short.get()) == (1, 2)


def test_slow_result_is_shared_for_longer() -> None:
    results = iter((1, 2))

    def compute() -> int:
        time.sleep(0.01)
        return next(results)

    shared = Shared(compute, seconds=0, ratio=6_000)
    assert (shared.get(), shared.get()) == (1, 1)


def test_clock_that_was_set_back_does_not_extend_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    results = iter((1, 2))
    shared = Shared(lambda: next(results), seconds=60)
    assert shared.get() == 1
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    assert shared.get() == 2


def test_error_is_raised_and_not_stored() -> None:
    outcomes = iter((ValueError("the database is down"), None))

    def compute() -> int:
        if error := next(outcomes):
            raise error
        return 1

    shared = Shared(compute, seconds=60)
    with pytest.raises(ValueError, match="down"):
        shared.get()
    assert shared.get() == 1
