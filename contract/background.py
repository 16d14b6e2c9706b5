"""A background sender: publishes to the broker right after a commit, off the request's path.

It only saves latency. The relay or the sweep sends again what it drops, so it never blocks, has a bounded queue, and
does not retry.
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

PAUSE_SECONDS = 2.0  # after a failure; items offered in the meantime are dropped


class Background(Generic[T]):
    """Passes offered items to ``send`` in a thread of its own, at most ``batch`` items per call.

    The thread starts with the first offer, and so after any fork.
    """

    def __init__(self, name: str, send: Callable[[list[T]], None], batch: int, capacity: int = 10_000) -> None:
        self._name, self._send, self._batch = name, send, batch
        self._items: queue.Queue[T] = queue.Queue(capacity)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def offer(self, items: list[T]) -> None:
        """Enqueue ``items``. Returns at once; drops items that do not fit."""
        self._start_thread()
        try:
            for item in items:
                self._items.put_nowait(item)
        except queue.Full:
            log.debug("queue is full, items dropped", sender=self._name)

    def _start_thread(self) -> None:
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
                log.warning("broker unavailable, items dropped", sender=self._name, items=len(batch), error=str(error))
                self._pause()
            except Exception:
                log.exception("sending failed, items dropped", sender=self._name, items=len(batch))
                self._pause()

    def _collect(self) -> list[T]:
        batch = [self._items.get()]
        while len(batch) < self._batch:
            try:
                batch.append(self._items.get_nowait())
            except queue.Empty:
                break
        return batch

    def _pause(self) -> None:
        time.sleep(PAUSE_SECONDS)
        while not self._items.empty():
            self._collect()
