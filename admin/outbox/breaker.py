"""The circuit breaker before the Client: a service that accepts calls and says nothing is not waited for every time."""

import threading
import time

REST_SECONDS = 5.0


class Breaker:
    """Opens when a call was not answered in time. Then calls are refused for ``rest`` seconds, after which one may
    probe. For several threads.
    """

    def __init__(self, rest: float = REST_SECONDS) -> None:
        self._rest, self._lock = rest, threading.Lock()
        self._next_probe: float | None = None  # None: it is closed

    def may_call(self) -> bool:
        """Return whether a call may be made; one that may while it is open is the only probe for a while."""
        with self._lock:
            now = time.monotonic()
            if self._next_probe is None:
                return True
            if now < self._next_probe:
                return False
            self._next_probe = now + self._rest
            return True

    def open(self) -> None:
        """Refuse calls from now on: one was not answered in time."""
        with self._lock:
            self._next_probe = time.monotonic() + self._rest

    def close(self) -> None:
        """Let calls through: one was answered."""
        with self._lock:
            self._next_probe = None
