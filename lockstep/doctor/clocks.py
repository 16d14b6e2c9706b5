"""Workers' clocks beside this host's."""

import time
from collections.abc import Sequence

from kombu import Connection

from contract import names
from contract.app import app
from runtime.clocks import TOLERANCE


def worker_offsets(
    connection: Connection, timeout: float, nodes: Sequence[str] | None = None, limit: int | None = None
) -> dict[str, float]:
    """Return each worker that answers, with the seconds by which its clock is ahead of this host's.

    Waits ``timeout`` seconds, or until ``limit`` have answered. What an answer took counts as an offset: some
    milliseconds, while the tolerance is a minute.
    """
    asked = time.time()
    answers = app.control.broadcast(
        names.REPORT_TIME, destination=nodes, reply=True, timeout=timeout, limit=limit, connection=connection
    )
    return {node: said["now"] - asked for answer in answers or () for node, said in answer.items() if "now" in said}


def too_large(seconds: float) -> str | None:
    """Return what is wrong with an offset of ``seconds``, None while everything works with it."""
    if abs(seconds) <= TOLERANCE.total_seconds():
        return None
    way = "ahead of" if seconds > 0 else "behind"
    return f"its clock is {abs(seconds):.0f} s {way} this host's: messages expire too early, and signatures are refused"
