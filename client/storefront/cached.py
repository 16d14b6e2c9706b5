"""Answers that every visitor shares for a moment, so that many visitors cost as little as one."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_RATIO = 50  # what takes a second to make is kept for this many: a large catalogue is not asked again and again


class Shared(Generic[T]):
    """The result of ``make``, at most ``seconds`` old, longer where making it takes long.

    While one thread makes it anew, others take the old one.
    """

    def __init__(self, make: Callable[[], T], seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self._made: tuple[float, T] | None = None  # until when, and what
        self._lock = threading.Lock()

    def get(self) -> T:
        """Return it. Raises what ``make`` raises."""
        made = self._made
        if made and (time.monotonic() < made[0] or not self._lock.acquire(blocking=False)):
            return made[1]
        if not made:
            self._lock.acquire()
        try:
            return self._renew()
        finally:
            self._lock.release()

    def _renew(self) -> T:
        began = time.monotonic()
        if self._made and began < self._made[0]:
            return self._made[1]  # another thread was quicker
        value = self._make()
        ended = time.monotonic()
        self._made = (ended + max(self._seconds, _RATIO * (ended - began)), value)
        return value
