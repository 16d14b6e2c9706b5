"""How many messages wait, for the status; a broker that does not answer is not waited for."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError

from flask import Flask, current_app

from contract import names
from contract.publisher import Publisher, PublishError

QUEUES = (*names.LANE_QUEUES.values(), names.QUEUE_LIKES, names.QUEUE_DEAD)


class QueueDepths:
    """Asks in a thread of its own, one question at a time: a stopped broker takes one thread, not every caller's."""

    def __init__(self) -> None:
        self._publisher = Publisher()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="queue depths")
        self._question: Future[dict[str, int]] | None = None

    def read(self, within: float) -> dict[str, int] | None:
        """Return messages by queue, None when the broker did not say ``within`` seconds."""
        if self._question is None or self._question.done():
            self._question = self._thread.submit(self._ask)
        try:
            return self._question.result(within)
        except (NotInTimeError, PublishError):
            return None

    def _ask(self) -> dict[str, int]:
        return {queue: self._publisher.depth(queue) for queue in QUEUES}


def init_queue_depths(app: Flask) -> None:
    app.extensions["queue_depths"] = QueueDepths()


def queue_depths(within: float) -> dict[str, int | None]:
    """Return messages by queue, each None when the broker did not say ``within`` seconds."""
    depths: QueueDepths = current_app.extensions["queue_depths"]
    return {**dict.fromkeys(QUEUES, None), **(depths.read(within) or {})}
