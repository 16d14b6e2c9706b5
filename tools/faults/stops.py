"""SIGTERM to every process in turn, as by a supervisor, during an import and under load."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench import catalogue
from tools.faults.load import Load
from tools.faults.run import Run
from tools.faults.scene import PASSWORD, STAFF
from tools.faults.trial import Result, continue_load, trial
from tools.faults.world import World
from tools.stack.api import AdminApi, eventually
from tools.stack.process import Process

ROWS = 20_000
_IMPORT_WITHIN = 900.0  # seconds


def stopped_during_an_import(run: Run) -> None:
    """SIGTERM to each process in turn: each ends within its limit, and no row is lost or imported twice."""
    rows = 6_000 if run.quick else ROWS
    with run.fresh_world("stops") as world, _as_in_production(world):
        seen = Result("", run.seed)

        def fault(world: World, load: Load) -> None:
            with _import(world, run.folder / "stops.csv", rows) as work:
                for process in _in_turn(world):
                    left = work.left()
                    seen.expect(left > 0, f"{process.name} stopped before all had arrived")
                    seen.figures[process.name] = f"{_stop(process, seen)}; {left:,} products were under way"
                    continue_load(load, 1)
                work.finish(seen)

        result = trial(world, f"SIGTERM to each, import of {rows:,}", fault, seed=run.seed, within=600)
        result.missed += seen.missed
        result.figures |= seen.figures
        run.add(result)


@dataclass(frozen=True)
class _Import:
    """An uploaded import of ``rows`` new products."""

    staff: AdminApi
    world: World
    rows: int
    id: int

    def look(self) -> dict[str, Any]:
        return dict(self.staff.ask("GET", f"/api/v1/imports/{self.id}").json())

    def left(self) -> int:
        """Return the number of products that are not yet imported or verified."""
        return self.rows - int(self.look()["rows"]) + self.world.admin_store.pending()

    def finish(self, seen: Result) -> None:
        """Wait until it has ended, and check that each row created one product."""
        eventually(lambda: int(self.look()["percent"]) == 100, within=_IMPORT_WITHIN, what="the import's end")
        job = self.look()
        seen.expect(job["created"] == self.rows, f"{self.rows} products created, not {job}")


@contextmanager
def _import(world: World, file: Path, rows: int) -> Iterator[_Import]:
    catalogue.write(file, rows, "STOP")
    with closing(AdminApi(world.product.addresses.admin_url)) as staff, file.open("rb") as opened:
        staff.sign_in(STAFF, PASSWORD)
        job = staff.ask("POST", "/api/v1/imports", files={"file": opened}).json()
        yield _Import(staff, world, rows, job["id"])


@contextmanager
def _as_in_production(world: World) -> Iterator[None]:
    """Stop workers as docker-compose.yml does, and run Flower too."""
    product = world.product
    product.worker.env["REMAP_SIGTERM"] = "SIGQUIT"
    product.worker.restart()
    product.flower.restart()
    try:
        yield
    finally:
        product.flower.stop()


def _in_turn(world: World) -> tuple[Process, ...]:
    product = world.product
    return (product.relay, product.worker, product.admin, product.client, product.beat, product.flower)


def _stop(process: Process, seen: Result) -> str:
    """Stop ``process`` by SIGTERM and start it again; return its exit code and the seconds that it took."""
    began = time.monotonic()
    process.ask_to_stop()
    while process.running and time.monotonic() - began < process.stop_within:
        time.sleep(0.02)
    took, outcome = time.monotonic() - began, process.outcome
    seen.expect(outcome == "ended with exit code 0", f"{process.name} ends within {process.stop_within:.0f} s")
    process.restart()
    return f"{outcome} after {took:.1f} s"
