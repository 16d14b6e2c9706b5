"""How soon one change is visible when nothing else happens, beside the bare path."""

from itertools import count

from tools.bench.bare import path
from tools.bench.figures import Figure, alternate, of_rounds, percentile, ratio
from tools.bench.probes import Probe, Seen
from tools.bench.run import Run

TITLE = "Commit → visible at the Client, idle, one at a time"


def measure(run: Run) -> list[Figure]:
    """Alternate blocks of single changes on both paths."""
    run.settle()
    seen: list[Seen] = []
    bare: list[float] = []
    block, numbers = max(1, run.sizes.latencies // run.sizes.rounds), count(1)
    with run.system.service("tools.bench.services:timed_admin()") as port, path.ready(run.system) as bare_path:
        probe = Probe(run.system, port, "V")

        def lockstep() -> float:
            some = [probe.see(next(numbers)) for _ in range(block)]
            seen.extend(some)
            return percentile([one.committed for one in some], 0.5) * 1000

        def plain() -> float:
            some = [bare_path.seconds(next(numbers)) for _ in range(block)]
            bare.extend(some)
            return percentile(some, 0.5) * 1000

        probe.see(0)
        bare_path.seconds(10**9)  # each once, not counted: connections are made
        ours, theirs = alternate(run.sizes.rounds, lockstep, plain)
    committed = [one.committed for one in seen]
    p99, bare_p99 = percentile(committed, 0.99) * 1000, percentile(bare, 0.99) * 1000
    return [
        ratio("p50 ÷ bare path's p50", ours, theirs, at_most=2.0),
        Figure("p99 ÷ bare path's p99", p99 / bare_p99, "×", at_most=4.0),
        of_rounds("p50", ours, "ms"),
        Figure("p99", p99, "ms"),
        Figure("p50 from the request on", percentile([one.requested for one in seen], 0.5) * 1000, "ms"),
        of_rounds("bare path's p50", theirs, "ms"),
        Figure("bare path's p99", bare_p99, "ms"),
    ]
