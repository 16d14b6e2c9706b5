"""Compare the workers' clocks with this host's."""

import time
from collections.abc import Sequence

from kombu import Connection

from contract import names
from contract.app import app
from runtime.clocks import TOLERANCE


def worker_offsets(
    connection: Connection, timeout: float, nodes: Sequence[str] | None = None, limit: int | None = None
) -> dict[str, float]:
    """Return the clock offset of each worker that answers, in seconds: positive when its clock is ahead.

    Waits ``timeout`` seconds, or until ``limit`` have answered. The offset includes the time that the answer took: some
    milliseconds, while the tolerance is a minute.
    """
    sent_at = time.time()
    answers = app.control.broadcast(
        names.REPORT_TIME, destination=nodes, reply=True, timeout=timeout, limit=limit, connection=connection
    )
    return {
        node: reply["now"] - sent_at for answer in answers or () for node, reply in answer.items() if "now" in reply
    }


def too_large(seconds: float) -> str | None:
    """Return what is wrong with an offset of ``seconds``, None where it is tolerated."""
    if abs(seconds) <= TOLERANCE.total_seconds():
        return None
    direction = "ahead of" if seconds > 0 else "behind"
    offset = f"its clock is {abs(seconds):.0f} s {direction} this host's"
    return f"{offset}: messages expire too early, and signatures are refused"
