"""One computation for all who ask at the same time: an outage that makes it slow takes one thread, not everybody's."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
FRESH = 1.0  # seconds that a result is good for whoever asks next
USABLE = 15.0  # seconds that it is better than waiting for the one that is being made


class Shared(Generic[T]):
    """The latest result of ``compute``: at most ``fresh`` seconds old, or USABLE while the next takes long."""

    def __init__(self, compute: Callable[[], T], fresh: float = FRESH) -> None:
        self._compute, self._fresh = compute, fresh
        self._lock = threading.Lock()
        self._latest: tuple[float, T] | None = None

    def get(self) -> T:
        """Return a result, made now by this thread unless another one did or is at it."""
        if (latest := self._within(self._fresh)) is not None:
            return latest[1]
        if not self._lock.acquire(blocking=False):
            if (latest := self._within(USABLE)) is not None:
                return latest[1]
            self._lock.acquire()
        try:
            if (latest := self._within(self._fresh)) is None:
                latest = self._latest = (time.monotonic(), self._compute())
            return latest[1]
        finally:
            self._lock.release()

    def _within(self, seconds: float) -> tuple[float, T] | None:
        latest = self._latest
        return latest if latest and time.monotonic() - latest[0] < seconds else None
