"""The time of comparing both whole stores, compared with reading both."""

import subprocess
import time

from pymysql.cursors import SSCursor  # type: ignore[import-untyped]  # it ships no types

from tools.bench.errors import BenchError
from tools.bench.figures import Figure
from tools.bench.run import Run
from tools.bench.system import System
from tools.bench.usage import peak_mb, rss_mb
from tools.stack.product import ROOT

TITLE = "Reconcile the whole catalogue"
_LOOK_SECONDS = 0.1


def at(_run: Run, system: System, _size: int) -> dict[str, float]:
    """Return the seconds of both, and the memory (MB) of the command and of the Client's web process."""
    bare = _read_bare(system)
    seconds, memory = _diff(system)
    return {"seconds": seconds, "bare": bare, "memory": memory, "client": rss_mb(system.product.client.pid)}


def measure(run: Run) -> list[Figure]:
    """The largest catalogue has the goal; memory is compared with the smallest one's."""
    seen = run.grown["reconcile"]
    small, large = min(seen), max(seen)
    whole = seen[large]
    return [
        Figure(f"÷ reading both stores bare, {large:,} products", whole["seconds"] / whole["bare"], "×", at_most=3.0),
        Figure(f"memory, at {large:,} ÷ at {small:,}", whole["memory"] / seen[small]["memory"], "×", at_most=1.5),
        Figure("lockstep sync diff", whole["seconds"], "s"),
        Figure("bare read of both", whole["bare"], "s"),
        Figure("its memory", whole["memory"], "MB"),
        Figure("the Client's memory afterwards", whole["client"], "MB", note=f"{seen[small]['client']:.0f} at first"),
    ]


def _read_bare(system: System) -> float:
    began = time.monotonic()
    opened = system.engine.raw_connection()
    try:
        cursor = opened.cursor(SSCursor)
        cursor.execute("SELECT * FROM products JOIN replication ON product_id = id")
        rows = sum(1 for _ in iter(cursor.fetchone, None))
        cursor.close()
    finally:
        opened.close()
    documents = sum(1 for _ in system.shop["products"].find({}, {"search_terms": 0}))
    if rows != documents:
        raise BenchError(f"Admin has {rows} products, the Client {documents}")
    return time.monotonic() - began


def _diff(system: System) -> tuple[float, float]:
    began, memory = time.monotonic(), 0.0
    with (system.logs / "diff.log").open("wb") as log:
        command = ["lockstep", "sync", "diff"]
        diff = subprocess.Popen(command, cwd=ROOT, env=dict(system.product.env), stdout=log, stderr=log)
        while diff.poll() is None:
            memory = max(memory, peak_mb(diff.pid))
            time.sleep(_LOOK_SECONDS)
    if diff.returncode:
        raise BenchError(f"the stores are not in sync: {(system.logs / 'diff.log').read_text()[-500:]}")
    return time.monotonic() - began, memory
