"""What it costs to send and verify a product out of a backlog."""

from tools.bench.figures import Figure, total
from tools.bench.run import Run

TITLE = "Catch-up of a backlog"
_OURS = ("relay", "worker", "Client")
_GOAL = 0.37  # ms: half of what commit 7417f22 used: 0.74, measured twice on two cores with 20,000 products


def measure(run: Run) -> list[Figure]:
    """Report it from the shared backlog."""
    spent = run.caught_up
    ours = {name: spent[name] for name in _OURS}
    return [
        total("CPU of relay, worker and Client per product", [ours], "ms", at_most=_GOAL),
        total("CPU of everything per product", [spent], "ms", bar="a product of a backlog"),
    ]
