"""The rate of catching up after an outage, compared with bare bulk upserts and with one task per change."""

import subprocess
import sys
import time

from tools.bench import catalogue, seed
from tools.bench.arrivals import Arrivals
from tools.bench.bare import mongo
from tools.bench.errors import BenchError
from tools.bench.figures import Figure, of_rounds
from tools.bench.run import Run
from tools.stack.product import ROOT

TITLE = "Catch-up of a backlog"


def measure(run: Run) -> list[Figure]:
    """Measure half of the bare upserts before, half after."""
    backlog = run.sizes.backlog
    run.settle()
    first = run.free_ids()
    messages = list(catalogue.messages(first, first + run.sizes.bare - 1, "C"))
    half = len(messages) // 2
    products = mongo.collection(run.system.shop)
    bare = [mongo.bulk_rate(products, messages[:half])]
    caught_up, verified = _catch_up(run, first)
    bare.append(mongo.bulk_rate(products, messages[half:]))
    run.system.shop.drop_collection("bare_products")
    one_by_one = _one_by_one(run, first + backlog)
    middle = sum(bare) / 2
    own = run.servers.processes.get("SecantusDB")
    least, much_more = (0.5, 2.0) if own else (0.7, 5.0)
    ratios = (caught_up / max(bare), caught_up / min(bare))
    return [
        Figure("÷ bare bulk upserts of the same documents", caught_up / middle, "×", ratios, at_least=least),
        Figure("÷ one Celery task per change", caught_up / one_by_one, "×", at_least=much_more),
        Figure(f"{backlog:,} changes, until visible", caught_up, "/s"),
        Figure("until verified", verified, "/s"),
        of_rounds("bare bulk upserts", bare, "/s"),
        Figure("one Celery task per change", one_by_one, "/s"),
    ]


def _catch_up(run: Run, first: int) -> tuple[float, float]:
    """Return changes per second until the last was visible, and until it was verified."""
    system, backlog = run.system, run.sizes.backlog
    arrivals = Arrivals(system.shop["products"], range(first, first + backlog))
    with system.paused(system.product.relay):
        seed.admin(system.engine, first, first + backlog - 1, verified=False)
    began = time.monotonic()
    arrivals.wait()
    caught_up = time.monotonic() - began
    run.settle()
    return backlog / caught_up, backlog / (time.monotonic() - began)


def _one_by_one(run: Run, first: int) -> float:
    """Return changes per second where each travels as a task of its own."""
    system, changes = run.system, run.sizes.one_by_one
    arrivals, began = Arrivals(system.shop["products"], range(first, first + changes)), time.monotonic()
    command = [sys.executable, "-m", "tools.bench.one_by_one", str(first), str(first + changes - 1)]
    if subprocess.run(command, cwd=ROOT, env=dict(system.product.env), check=False).returncode:
        raise BenchError("single tasks could not be sent")
    arrivals.wait()
    return changes / (time.monotonic() - began)
