"""Reads the queue depths for the status, without waiting long for a broker that does not answer."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError

from flask import Flask, current_app

from contract import names
from contract.publisher import Publisher, PublishError

QUEUES = (*names.LANE_QUEUES.values(), names.QUEUE_LIKES, names.QUEUE_DEAD)


class QueueDepths:
    """Reads the depths in one background thread: a broker that hangs blocks that thread, not the callers."""

    def __init__(self) -> None:
        self._publisher = Publisher()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="queue depths")
        self._reading: Future[dict[str, int]] | None = None

    def read(self, within: float) -> dict[str, int] | None:
        """Return messages by queue, None where the broker did not answer ``within`` seconds."""
        if self._reading is None or self._reading.done():
            self._reading = self._thread.submit(self._depths)
        try:
            return self._reading.result(within)
        except (NotInTimeError, PublishError):
            return None

    def _depths(self) -> dict[str, int]:
        return {queue: self._publisher.depth(queue) for queue in QUEUES}


def init_queue_depths(app: Flask) -> None:
    app.extensions["queue_depths"] = QueueDepths()


def queue_depths(within: float) -> dict[str, int | None]:
    """Return messages by queue, each None where the broker did not answer ``within`` seconds."""
    depths: QueueDepths = current_app.extensions["queue_depths"]
    return {**dict.fromkeys(QUEUES, None), **(depths.read(within) or {})}
