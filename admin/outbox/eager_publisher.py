"""A2: right after the commit, send this process's own fresh changes from a background thread.

Only a head start: what it drops (no broker, full queue, crash) the relay sends.
"""

import time
from collections.abc import Sequence

from flask import Flask, current_app

from admin.outbox import dispatch
from contract import names
from contract.background import Background
from contract.messages import ProductChanged
from contract.publisher import Publisher

MAX_DEPTH = 1_000  # messages waiting in the lane's queue; beyond it the relay alone sends, by its window
BURST_REST = 0.05  # seconds: what comes meanwhile travels together; a change that comes alone never waits
_LOOK_SECONDS = 1.0


class EagerPublisher:
    """Publishes on the interactive lane while its queue is short."""

    def __init__(self) -> None:
        self._publisher = Publisher()
        self._background = Background("eager publisher", self._send, dispatch.BATCH)
        self._depth, self._looked = 0, 0.0

    def offer(self, messages: Sequence[ProductChanged]) -> None:
        self._background.offer(list(messages))

    def _send(self, messages: list[ProductChanged]) -> None:
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._depth = self._publisher.depth(names.QUEUE_PRODUCTS)
            self._looked = time.monotonic()
        if self._depth < MAX_DEPTH:
            for batch in dispatch.split(messages):
                dispatch.send(self._publisher, batch, names.INTERACTIVE)
        if len(messages) > 1:
            time.sleep(BURST_REST)


def init_eager_publisher(app: Flask) -> None:
    app.extensions["eager publisher"] = EagerPublisher()


def offer(messages: Sequence[ProductChanged]) -> None:
    """Hand committed changes to this process's eager publisher. Never blocks, never raises."""
    current_app.extensions["eager publisher"].offer(messages)
