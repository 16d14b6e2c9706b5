"""The eager publisher: sends this process's own changes right after their commit, from a background thread.

It only saves latency. The relay sends what it drops because the broker is down, a queue is full or the process crashed.
"""

import time
from collections.abc import Sequence

from flask import Flask, current_app

from admin.outbox import dispatch
from contract import names
from contract.background import Background
from contract.messages import ProductChanged
from contract.publisher import Publisher

MAX_DEPTH = 1_000  # messages in the lane's queue; above it only the relay sends, limited by its window
BURST_PAUSE = 0.05  # seconds: changes of this time are sent together; a single change never waits
_DEPTH_SECONDS = 1.0  # for which a queue depth counts as current


class EagerPublisher:
    """Publishes to the interactive lane while its queue is short."""

    def __init__(self) -> None:
        self._publisher = Publisher()
        self._background = Background("eager publisher", self._send, dispatch.BATCH)
        self._depth, self._depth_read_at = 0, 0.0

    def offer(self, messages: Sequence[ProductChanged]) -> None:
        self._background.offer(list(messages))

    def _send(self, messages: list[ProductChanged]) -> None:
        if time.monotonic() - self._depth_read_at > _DEPTH_SECONDS:
            self._depth = self._publisher.depth(names.QUEUE_PRODUCTS)
            self._depth_read_at = time.monotonic()
        if self._depth < MAX_DEPTH:
            for batch in dispatch.split(messages):
                dispatch.send(self._publisher, batch, names.INTERACTIVE)
        if len(messages) > 1:
            time.sleep(BURST_PAUSE)


def init_eager_publisher(app: Flask) -> None:
    app.extensions["eager publisher"] = EagerPublisher()


def offer(messages: Sequence[ProductChanged]) -> None:
    """Pass committed changes to this process's eager publisher. Never blocks, never raises."""
    current_app.extensions["eager publisher"].offer(messages)
