"""The cost of one change over all processes and servers, in small and large catalogues."""

import time

from tools.bench import clients
from tools.bench.figures import Figure
from tools.bench.run import Run
from tools.bench.system import System

TITLE = "Cost per change, by catalogue size"
_PRICES = ("11.10", "22.20", "33.30")  # one per round, so that each is a change


def at(run: Run, system: System, size: int) -> dict[str, float]:
    """Change products all over the catalogue; return the CPU time (ms) and the wall time (ms) per change, and the
    median latency (ms) of a change.
    """
    costs = sorted(_changes(run, system, size, price) for price in _PRICES[: run.sizes.rounds])
    return costs[len(costs) // 2][1]


def measure(run: Run) -> list[Figure]:
    """Compare the largest catalogue with the smallest."""
    seen = run.grown["change_cost"]
    small, large = min(seen), max(seen)
    about = f"at {large:,} ÷ at {small:,} products"
    return [
        Figure(f"CPU, {about}", seen[large]["cpu"] / seen[small]["cpu"], "×", at_most=1.2),
        Figure(f"wall, {about}", seen[large]["wall"] / seen[small]["wall"], "×", at_most=1.2),
        *(Figure(f"CPU per change at {size:,} products", seen[size]["cpu"], "ms") for size in seen),
        *(Figure(f"wall per change at {size:,} products", seen[size]["wall"], "ms") for size in seen),
        *(Figure(f"a change's answer at {size:,} products, p50", seen[size]["answer"], "ms") for size in seen),
    ]


def _changes(run: Run, system: System, size: int, price: str) -> tuple[float, dict[str, float]]:
    run.settle(system)
    each = max(1, min(run.sizes.changes, size) // clients.CLIENTS)
    cpu = system.cpu()
    load = clients.run(
        "updates", system.addresses.admin_port, system.staff_token, 600, requests=each, last=size,
        path="/api/v1/products/{}", price=price,
    )  # fmt: skip
    run.settle(system)
    count = len(load.seconds)
    used = (system.cpu() - cpu) * 1000 / count
    wall = (time.monotonic() - load.began) * 1000 / count
    return used, {"cpu": used, "wall": wall, "answer": sorted(load.seconds)[count // 2] * 1000}
