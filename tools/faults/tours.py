"""A process killed at one point after another, under load, restarted each time."""

import time
from collections.abc import Sequence

from tools.faults.load import Load
from tools.faults.trial import Fault, go_on
from tools.faults.world import World

_PER_POINT = 60  # seconds within which a point must be reached


def tour(process: str, points: Sequence[str], *, whole_group: bool = False, nothing_arrives: bool = False) -> Fault:
    """Return the fault that kills ``process`` (admin, client, relay, worker) at each of ``points``, in that order.

    ``nothing_arrives``: the worker is stopped meanwhile, so that the relay sends what Admin itself has sent.
    A point that is never reached is an error: a kill that did not happen proves nothing.
    """

    def fault(world: World, load: Load) -> None:
        if nothing_arrives:
            world.product.worker.pause()
        victim = getattr(world.product, process)
        with world.armed(victim, points, whole_group=whole_group) as left:
            deadline = time.monotonic() + _PER_POINT * len(points)
            while missing := left():
                if time.monotonic() > deadline:
                    raise AssertionError(f"{process} never came to {missing}")
                go_on(load, 0.1, keep=[victim])
            go_on(load, 0.5, keep=[victim])  # its marker comes a moment before its death

    return fault
