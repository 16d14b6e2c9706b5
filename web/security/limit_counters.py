"""Counts of requests in this process's memory, for Flask-Limiter.

The library's memory store starts a thread for nearly every request, as a timer that deletes expired counts. This store
deletes them while it counts.
"""

import threading
import time
from typing import Any

from limits.storage import Storage

SCHEME = "process"
FEW = 1_000  # windows; below it, expired ones are not worth searching for


class ProcessCounters(Storage):
    """Counts in fixed windows, the only kind that the limits use. ``expiry`` is in seconds."""

    STORAGE_SCHEME = [SCHEME]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._windows: dict[str, tuple[int, float]] = {}  # by key: the count, and when the window ends
        self._purge_above = FEW
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add ``amount`` to the open window of ``key``, or to a new one; return the count."""
        now = time.time()
        with self._lock:
            if len(self._windows) > self._purge_above:
                self._windows = {name: window for name, window in self._windows.items() if window[1] > now}
                self._purge_above = max(FEW, 2 * len(self._windows))
            count, ends = self._windows.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + expiry
            self._windows[key] = count + amount, ends
            return count + amount

    def get(self, key: str) -> int:
        """Return the count of the open window, 0 where none is open."""
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since 1970."""
        return self._windows.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            deleted = len(self._windows)
            self._windows.clear()
            return deleted

    def clear(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)
