"""The circuit breaker of calls to the Client: a Client that stops answering costs one timeout, not many."""

import threading
import time

COOLDOWN_SECONDS = 5.0


class Breaker:
    """Opens when a call times out. It then refuses calls for ``cooldown`` seconds and lets one through as a probe.

    Safe for several threads.
    """

    def __init__(self, cooldown: float = COOLDOWN_SECONDS) -> None:
        self._cooldown, self._lock = cooldown, threading.Lock()
        self._next_probe: float | None = None  # None: closed

    def may_call(self) -> bool:
        """Return whether a call may be made. While open, that is true once per cooldown: for the probe."""
        with self._lock:
            now = time.monotonic()
            if self._next_probe is None:
                return True
            if now < self._next_probe:
                return False
            self._next_probe = now + self._cooldown
            return True

    def open(self) -> None:
        """Refuse calls from now on, as one timed out."""
        with self._lock:
            self._next_probe = time.monotonic() + self._cooldown

    def close(self) -> None:
        """Let calls through, as one was answered."""
        with self._lock:
            self._next_probe = None
