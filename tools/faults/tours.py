"""Kill a process at one point after another under load, and restart it each time."""

import time
from collections.abc import Sequence

from tools.faults.load import Load
from tools.faults.trial import Fault, continue_load
from tools.faults.world import World

_PER_POINT = 60  # seconds for a point to be reached


def tour(process: str, points: Sequence[str], *, whole_group: bool = False, worker_paused: bool = False) -> Fault:
    """Return the fault that kills ``process`` (admin, client, relay, worker) at each of ``points``, in order.

    ``worker_paused``: the worker is paused, so that the relay has to send again. A point that is not reached is an
    error.
    """

    def fault(world: World, load: Load) -> None:
        if worker_paused:
            world.product.worker.pause()
        victim = getattr(world.product, process)
        with world.armed(victim, points, whole_group=whole_group) as left:
            deadline = time.monotonic() + _PER_POINT * len(points)
            while missing := left():
                if time.monotonic() > deadline:
                    raise AssertionError(f"{process} never reached {missing}")
                continue_load(load, 0.1, restarting=[victim])
            continue_load(load, 0.5, restarting=[victim])  # its marker appears shortly before the kill

    return fault
