"""How soon an editor's changes are visible during a large import."""

from tools.bench.figures import Figure, number, percentile
from tools.bench.run import Run

TITLE = "Creates during the import"


def measure(run: Run) -> list[Figure]:
    """Report it from the shared import, which ends when all of it is at the Client."""
    seen = run.imported
    p99, idle = (1000 * percentile(delays, 0.99) for delays in (seen.delays, seen.idle))
    p50 = 1000 * percentile(seen.delays, 0.5)
    return [
        Figure("POST → visible, p99", p99, "ms", at_most=300, note=f"{len(seen.delays)} changes, p50 {number(p50)} ms"),
        Figure("p99 ÷ idle p99", p99 / idle, "×", at_most=6, note=f"{number(p99)} ms ÷ {number(idle)} ms"),
    ]
