"""A background sender: what a web process tells the broker right after a commit, off the request's path.

It is only a head start (A2, L1). Whatever it drops is sent again by the relay or the sweep, so it never
blocks, never grows without bound, and never retries.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from contract.publisher import PublishError

T = TypeVar("T")
log = structlog.get_logger(__name__)

REST_SECONDS = 2.0  # after a failure; offers made meanwhile are dropped


class Background(Generic[T]):
    """Hands whatever was offered meanwhile, at most ``batch`` items at once, to ``send`` in its own thread.

    The thread starts with the first offer, so after any fork.
    """

    def __init__(self, name: str, send: Callable[[list[T]], None], batch: int, capacity: int = 10_000) -> None:
        self._name, self._send, self._batch = name, send, batch
        self._items: queue.Queue[T] = queue.Queue(capacity)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def offer(self, items: list[T]) -> None:
        """Take ``items`` for sending soon. Returns at once; drops what does not fit."""
        self._start()
        try:
            for item in items:
                self._items.put_nowait(item)
        except queue.Full:
            log.debug("dropped: full", sender=self._name)

    def _start(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            batch = self._collect()
            try:
                self._send(batch)
            except PublishError as error:
                log.warning("dropped: no broker", sender=self._name, items=len(batch), error=str(error))
                self._rest()
            except Exception:
                log.exception("dropped", sender=self._name, items=len(batch))
                self._rest()

    def _collect(self) -> list[T]:
        batch = [self._items.get()]
        while len(batch) < self._batch:
            try:
                batch.append(self._items.get_nowait())
            except queue.Empty:
                break
        return batch

    def _rest(self) -> None:
        time.sleep(REST_SECONDS)
        while not self._items.empty():
            self._collect()
