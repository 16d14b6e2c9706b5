"""Measure one large import: its rate, an editor's changes during it, and its memory."""

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tools.bench.probes import Probe
from tools.bench.run import Run
from tools.bench.usage import peak_mb, pss_mb
from tools.stack.api import eventually

_BETWEEN_PROBES = 0.2  # seconds: as an editor, without load
_LOOK_EVERY = 0.005
_MEMORY_EVERY = 1.0
_WITHIN = 1_800.0


@dataclass(frozen=True, slots=True)
class Imported:
    """``rate`` is file → Admin in products per second; ``memory`` in MB by process, early and at the end.

    ``idle`` and ``delays`` are the seconds until an editor's changes were visible, before and during the import.
    """

    rate: float
    idle: list[float]
    delays: list[float]
    memory: dict[str, tuple[float, float]]


def measure(run: Run) -> Imported:
    """Import a file while an editor creates products, until all of it is verified at the Client."""
    run.settle()
    system = run.system
    probe = Probe(system.addresses.admin_port, "/api/v1/products", "I", system.staff_token)
    idle = [probe.see(system.shop["products"], _LOOK_EVERY).visible for _ in range(max(20, run.sizes.singles))]
    before, began = system.products(), time.monotonic()
    importer = run.start_import("X", run.sizes.imported)
    with _editor(run, probe) as delays:
        memory = _watch(run, importer, before)
        run.finish_import(importer)
        rate = run.sizes.imported / (time.monotonic() - began)
        eventually(system.imports_settled, within=_WITHIN, what="the import at the Client")
    return Imported(rate, idle, delays, memory)


@contextmanager
def _editor(run: Run, probe: Probe) -> Iterator[list[float]]:
    """Create a product as an editor at intervals; yield the list of the delays. Raises its error at the end."""
    delays: list[float] = []
    done = threading.Event()

    def edit() -> None:
        while not done.is_set():
            delays.append(probe.see(run.system.shop["products"], _LOOK_EVERY).visible)
            done.wait(_BETWEEN_PROBES)

    with ThreadPoolExecutor(1) as pool:
        editor = pool.submit(edit)
        try:
            yield delays
        finally:
            done.set()
    editor.result()


def _watch(run: Run, importer: subprocess.Popen[bytes], before: int) -> dict[str, tuple[float, float]]:
    """Return the memory (MB) of each process after the first rows and at the end of the import."""
    early, late = dict[str, float](), dict[str, float]()
    while importer.poll() is None:
        found = {process.name: pss_mb(process.pid) for process in run.system.product.processes}
        late |= {name: used for name, used in (found | {"import": peak_mb(importer.pid)}).items() if used}
        if not early or run.system.products() < before + run.sizes.flat_from:
            early = dict(late)
        try:
            importer.wait(_MEMORY_EVERY)
        except subprocess.TimeoutExpired:
            continue
    return {name: (early[name], late[name]) for name in early}
