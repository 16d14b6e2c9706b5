"""Hosts whose clocks are 45 s apart: each side ahead of the other, during the load and until all has settled.

Needs Debian's faketime, which scripts/test installs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tools.faults import outages
from tools.faults.run import NotRunError, Run
from tools.faults.trial import trial
from tools.stack import clock
from tools.stack.process import Process, start_all, stop_all
from tools.stack.servers.programs import MissingServerError

SECONDS = 45


def apart(run: Run) -> None:
    """Purge the queues, so that delivery depends on the schedules of the relay and the sweep."""
    with run.fresh_world("clocks", users=3) as world:
        product = world.product
        hosts = {"Client": (product.client, product.worker), "Admin": (product.admin, product.relay, product.beat)}
        for host, processes in hosts.items():
            with _ahead(processes):
                name = f"clocks {SECONDS} s apart, {host} ahead"
                run.add(trial(world, name, outages.purged, seed=run.seed, within=120))


@contextmanager
def _ahead(processes: Sequence[Process]) -> Iterator[None]:
    try:
        for process in processes:
            clock.shift(process, SECONDS)
    except MissingServerError as error:
        raise NotRunError(str(error)) from None
    _restart(processes)
    try:
        yield
    finally:
        for process in processes:
            clock.shift(process, 0)
        _restart(processes)


def _restart(processes: Sequence[Process]) -> None:
    stop_all(processes)
    start_all(processes)
