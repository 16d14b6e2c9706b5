"""One trial: load, a fault, then a comparison of both stores and the callers' record."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tools.faults.load import MIX, Load
from tools.faults.observer import Observer
from tools.faults.scene import NotSettledError, Scene
from tools.faults.stores import Verdict, compare
from tools.faults.world import World
from tools.stack.process import Process

S = TypeVar("S", bound=Scene)
Fault = Callable[[World, Load], None]


@dataclass
class Result:
    """The result of a trial. ``settled`` is None where something was still pending at the end; ``missed`` describes
    the goals that were missed.
    """

    fault: str
    seed: int
    accepted: int = 0
    unanswered: int = 0
    settled: float | None = None
    verdict: Verdict = field(default_factory=Verdict)
    figures: dict[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def expect(self, reached: bool, goal: str) -> None:
        """Record ``goal`` as missed unless it was ``reached``."""
        self.missed += [] if reached else [f"missed: {goal}"]

    @property
    def fine(self) -> bool:
        """Return whether everything arrived exactly once, and every goal was met."""
        return self.settled is not None and not self.verdict and not self.missed

    def __str__(self) -> str:
        """The errors, for debugging."""
        settled = "NOT SETTLED" if self.settled is None else f"settled in {self.settled:.1f} s"
        wrong = [*self.missed, *self.verdict.lost, *self.verdict.duplicated, *self.verdict.resurrected][:20]
        lines = [f"{self.fault}, seed {self.seed}: {self.accepted} accepted, {settled}", *wrong]
        return "\n    ".join([*lines, *(f"{name}: {value}" for name, value in self.figures.items())])


def trial(
    scene: S,
    name: str,
    fault: Callable[[S, Load], None],
    *,
    seed: int,
    writes: int = 30,
    mix: Mapping[str, int] = MIX,
    within: float = 60,
) -> Result:
    """Put load on ``scene``, inject ``fault``, repair it, wait until all has settled, and compare.

    At least ``writes`` are accepted before the fault and again after it.
    """
    result = Result(name, seed)
    load = Load(scene.users, seed, mix)
    with Observer(scene.client_store) as observer:
        with load:
            load.wait_for(writes)
            try:
                fault(scene, load)
            finally:
                scene.repair()
            load.wait_for(writes)
        try:
            result.settled = scene.settle(within)
        except NotSettledError as error:
            result.figures["under way"] = str(error)
    result.accepted, result.unanswered = load.ledger.accepted, load.ledger.unanswered
    result.verdict += observer.verdict
    result.verdict += compare(scene.admin_store, scene.client_store)
    result.verdict += load.ledger.check(scene.admin_store, scene.client_store)
    if result.verdict or result.settled is None:
        result.figures["calls that failed"] = load.failures[-3:]
    return result


def continue_load(load: Load, seconds: float, restarting: Iterable[Process] = ()) -> None:
    """Continue the load for ``seconds``; restart processes of ``restarting`` that end."""
    deadline, restarting = time.monotonic() + seconds, tuple(restarting)
    while time.monotonic() < deadline and load.busy:
        for process in restarting:
            if not process.running:
                process.start()
        time.sleep(0.05)


def p99(seconds: list[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(seconds, n=100)[98]
