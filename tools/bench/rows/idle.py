"""The cost of the idle system."""

import time

from tools.bench.figures import Figure
from tools.bench.run import Run
from tools.bench.usage import cpu_seconds, rss_mb

TITLE = "Idle system"
_REST = 3.0  # seconds for the work after a start


def measure(run: Run) -> list[Figure]:
    """Measure the CPU of all processes except the broker, and the memory of each."""
    processes = {p.name: p for p in (*run.system.product.processes, *run.servers.processes.values())}
    run.settle()
    time.sleep(min(_REST, run.sizes.idle_seconds))
    before = {name: cpu_seconds([process.pid]) for name, process in processes.items()}
    time.sleep(run.sizes.idle_seconds)
    shares = {
        name: 100 * (cpu_seconds([process.pid]) - before[name]) / run.sizes.idle_seconds
        for name, process in processes.items()
    }
    total = sum(share for name, share in shares.items() if name != "RabbitMQ")
    figures = [Figure("CPU of all but the broker", total, "% of a core", at_most=2.0)]
    for name, process in processes.items():
        figures.append(Figure(f"{name}, CPU", shares[name], "% of a core"))
        figures.append(Figure(f"{name}, memory", rss_mb(process.pid), "MB"))
    return figures
