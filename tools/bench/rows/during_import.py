"""The latency of an editor's changes during a large import."""

from tools.bench.figures import Figure, percentile
from tools.bench.run import Run

TITLE = "Commit → visible at the Client, during an import"


def measure(run: Run) -> list[Figure]:
    """Report it from the shared import."""
    seen = run.imported
    p99 = percentile(seen.delays, 0.99)
    return [
        Figure("p99", p99 * 1000, "ms", at_most=1_000, note=f"{len(seen.delays)} changes"),
        Figure("p99 ÷ idle p99", p99 / seen.idle_p99, "×", at_most=10),
        Figure("p50", percentile(seen.delays, 0.5) * 1000, "ms"),
        Figure("slowest", max(seen.delays) * 1000, "ms"),
    ]
