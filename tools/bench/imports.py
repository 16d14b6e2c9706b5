"""Measure one large import: its rate, an editor's latency during it, and its memory."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tools.bench import catalogue
from tools.bench.arrivals import Arrivals
from tools.bench.bare import mongo, sql
from tools.bench.errors import BenchError
from tools.bench.probes import Probe
from tools.bench.run import Run
from tools.bench.system import System
from tools.bench.usage import peak_mb, rss_mb
from tools.stack.product import ROOT

_BETWEEN_PROBES = 0.2  # seconds: as an editor, without load
_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Imported:
    """``rate`` is file → Client, ``stored`` file → Admin, in products per second; the bare rates are one per half.

    ``delays`` are the editor's, in seconds; ``memory`` in MB by process, early and at the end.
    """

    rate: float
    stored: float
    bare_sql: list[float]
    bare_mongo: list[float]
    idle_p99: float
    delays: list[float]
    memory: dict[str, tuple[float, float]]


def measure(run: Run) -> Imported:
    """Measure half of the bare rates before and half after: the speed of the machine may change."""
    system, rows = run.system, run.sizes.imported
    run.settle()
    first = run.free_ids()
    messages = list(catalogue.messages(first, first + run.sizes.bare - 1, "X"))
    bare_sql, bare_mongo = list[float](), list[float]()
    with system.service("tools.bench.services:timed_admin()") as port, sql.connection(system.engine) as opened:
        products = mongo.collection(system.shop)
        probe = Probe(system, port, "I", look_every=0.005)
        idle = [probe.see(number).committed for number in range(max(20, run.sizes.latencies))]
        for half in (messages[: len(messages) // 2], messages[len(messages) // 2 :]):
            bare_sql.append(sql.bulk_rate(opened, half))
            bare_mongo.append(mongo.bulk_rate(products, half))
        system.shop.drop_collection("bare_products")
        run.settle()
        rate, stored, delays, memory = _import(
            run, catalogue.write(system.logs.parent / "import.csv", rows, "X"), probe
        )
    idle.sort()
    return Imported(rate, stored, bare_sql, bare_mongo, idle[int(len(idle) * 0.99) - 1], delays, memory)


def _import(run: Run, file: Path, probe: Probe) -> tuple[float, float, list[float], dict[str, tuple[float, float]]]:
    system, rows = run.system, run.sizes.imported
    before, began = system.highest_id(), time.monotonic()
    importer = subprocess.Popen(
        ["lockstep", "import", str(file)],
        cwd=ROOT,
        env=dict(system.product.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    early, late = dict[str, float](), dict[str, float]()
    with _editor(probe) as delays:
        while importer.poll() is None:
            late = late | _memory(system, importer)
            if not early or system.highest_id() < before + run.sizes.flat_from:
                early = late
            time.sleep(_LOOK_SECONDS)
        stored = time.monotonic() - began
        if importer.returncode:
            raise BenchError(f"the import failed with {importer.returncode}")
        Arrivals(system.shop["products"], system.ids_above(before)).wait()
        took = time.monotonic() - began
    memory = {name: (early[name], late[name]) for name in early}
    return rows / took, rows / stored, delays, memory


@contextmanager
def _editor(probe: Probe) -> Iterator[list[float]]:
    """Create a product as an editor at intervals; yield the list of the delays."""
    delays: list[float] = []
    done = threading.Event()

    def edit() -> None:
        for number in count(10**6):
            delays.append(probe.see(number).committed)
            if done.wait(_BETWEEN_PROBES):
                return

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        yield delays
    finally:
        done.set()
        editor.join()


def _memory(system: System, importer: subprocess.Popen[bytes]) -> dict[str, float]:
    found = {process.name: rss_mb(process.pid) for process in system.product.processes}
    found["import"] = peak_mb(importer.pid)
    return {name: used for name, used in found.items() if used}  # the import may have ended
