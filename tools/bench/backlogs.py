"""Measure what it costs to send and verify a backlog, which fills the catalogue to the size that pages are read at."""

from tools.bench.run import Run
from tools.bench.system import per


def measure(run: Run) -> dict[str, float]:
    """Import products while the relay is paused, then let it run; return the CPU milliseconds of each by process."""
    run.settle()
    system = run.system
    backlog = max(run.sizes.catalogue - system.products(), run.sizes.catalogue // 2)
    with system.paused(system.product.relay):
        run.finish_import(run.start_import("B", backlog))
        before = system.cpu()
    run.settle()
    return per(backlog, before, system.cpu())
