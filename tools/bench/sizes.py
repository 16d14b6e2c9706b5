"""The sizes of each kind of run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """``rounds`` are of the rows that alternate, each ``seconds`` long; the others count products or requests."""

    rounds: int
    seconds: float
    singles: int  # changes made one at a time
    starts: int  # of each process and command
    demo_starts: int  # of which the last is measured
    idle_seconds: float
    catalogue: int  # products while the shop's pages are measured; a backlog fills it
    more: int  # products imported while they are measured again
    pages: int  # requests of each page
    imported: int
    flat_from: int  # imported rows before the first measurement of memory


TOY = Sizes(1, 0.2, 5, 1, 1, 0.3, 80, 40, 1, 60, 20)
QUICK = Sizes(2, 1.0, 60, 1, 2, 5.0, 3_000, 2_000, 5, 3_000, 500)
FULL = Sizes(5, 4.0, 400, 3, 2, 30.0, 50_000, 50_000, 20, 100_000, 10_000)
