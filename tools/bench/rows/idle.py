"""The cost of the idle system."""

import time

from tools.bench.figures import Figure, total
from tools.bench.run import Run

TITLE = "Idle system"
_REST = 3.0  # seconds for the work after a start


def measure(run: Run) -> list[Figure]:
    """Measure the CPU of all processes but the broker and the stores."""
    run.settle()
    system, seconds = run.system, run.sizes.idle_seconds
    time.sleep(min(_REST, seconds))
    before = system.cpu()
    time.sleep(seconds)
    after = system.cpu()
    shares = {p.name: 100 * (after[p.name] - before[p.name]) / seconds for p in system.product.processes}
    return [total("CPU of all but broker and stores", [shares], "% of a core", at_most=1.0)]
