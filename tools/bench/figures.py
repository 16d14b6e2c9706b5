"""The figures of a row, with their spread and goal."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``at_least`` and ``at_most`` are its goal, where it has one."""

    what: str
    value: float
    unit: str
    spread: tuple[float, float] | None = None  # lowest and highest round
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Return whether the goal is met; None without a goal."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def goal(self) -> str:
        """The goal as text."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"


def of_rounds(what: str, values: Sequence[float], unit: str, **goal: float | str) -> Figure:
    """Return the median of ``values`` with their spread."""
    spread = (min(values), max(values))
    return Figure(what, statistics.median(values), unit, spread, **goal)  # type: ignore[arg-type]


def ratio(what: str, above: Sequence[float], below: Sequence[float], **goal: float | str) -> Figure:
    """Return the median of the ratios of each round, whose two values were measured directly one after the other."""
    return of_rounds(what, [a / b for a, b in zip(above, below, strict=True)], "×", **goal)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that at least ``share`` of them do not exceed."""
    if not values:
        raise BenchError("nothing was measured")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def alternate(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Call each measure in turn, round after round, every second round backwards; return one list per measure."""
    results: list[list[float]] = [[] for _ in measures]
    for number in range(rounds):
        order = range(len(measures)) if number % 2 == 0 else reversed(range(len(measures)))
        for index in order:
            results[index].append(measures[index]())
    return results
