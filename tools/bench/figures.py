"""The figures of a row, with their spread, goal and parts."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tools.bench.errors import BenchError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``at_least`` and ``at_most`` are its goal, where it has one.

    ``parts`` are the shares of its processes or pages, in its own unit. With a name in ``bar`` the chart shows them.
    """

    what: str
    value: float
    unit: str
    spread: tuple[float, float] | None = None  # lowest and highest round
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    bar: str = ""

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

    @property
    def remarks(self) -> str:
        """The note and the parts as text, largest part first."""
        parts = sorted(self.parts.items(), key=lambda part: -part[1])
        return "; ".join(filter(None, [self.note, ", ".join(f"{name} {number(value)}" for name, value in parts)]))


def number(value: float) -> str:
    """Return ``value`` as text with three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def of_rounds(what: str, values: Sequence[float], unit: str, **more: float | str) -> Figure:
    """Return the median of ``values``, with their spread where there are several."""
    return Figure(what, statistics.median(values), unit, _spread(values), **more)  # type: ignore[arg-type]


def ratio(what: str, above: Sequence[float], below: Sequence[float], unit: str, **goal: float) -> Figure:
    """Return the median of the ratios of each round, whose two values were measured directly one after the other.

    Its note has the medians of both, in ``unit``.
    """
    medians = (f"{number(statistics.median(values))} {unit}".strip() for values in (above, below))
    return of_rounds(what, [a / b for a, b in zip(above, below, strict=True)], "×", note=" ÷ ".join(medians), **goal)


def total(what: str, rounds: Sequence[Mapping[str, float]], unit: str, bar: str = "", **goal: float) -> Figure:
    """Return the median of the sums of each round's parts, and the median of each part."""
    sums = [sum(parts.values()) for parts in rounds]
    parts = {name: statistics.median(parts[name] for parts in rounds) for name in rounds[0]}
    return Figure(what, statistics.median(sums), unit, _spread(sums), parts=parts, bar=bar, **goal)  # type: ignore[arg-type]


def _spread(values: Sequence[float]) -> tuple[float, float] | None:
    return (min(values), max(values)) if len(values) > 1 else None


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that at least ``share`` of them do not exceed."""
    if not values:
        raise BenchError("nothing was measured")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def alternate(rounds: int, *measures: Callable[[], T]) -> list[list[T]]:
    """Call each measure in turn, round after round, every second round backwards; return one list per measure."""
    results: list[list[T]] = [[] for _ in measures]
    for turn in range(rounds):
        order = range(len(measures)) if turn % 2 == 0 else reversed(range(len(measures)))
        for index in order:
            results[index].append(measures[index]())
    return results
