"""The sizes of each kind of run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """``rounds`` are of the rows that alternate, each ``seconds`` long; the others count what their comment says."""

    rounds: int
    seconds: float
    singles: int  # changes made one at a time
    starts: int  # of each process and command
    demo_starts: int  # of which the last is measured
    idle_seconds: float
    catalogue: int  # products while the shop's pages are measured; a backlog fills it
    more: int  # products imported while they are measured again
    pages: int  # requests of each page of the shop
    imported: int  # products of the large import
    flat_from: int  # imported rows before the first measurement of memory
    batches: int  # in each round
    batch: int  # products of each


TOY = Sizes(
    rounds=1, seconds=0.2, singles=5, starts=1, demo_starts=1, idle_seconds=0.3, catalogue=80, more=40, pages=1,
    imported=60, flat_from=20, batches=1, batch=20,
)  # fmt: skip
QUICK = Sizes(
    rounds=2, seconds=1.0, singles=60, starts=1, demo_starts=2, idle_seconds=5.0, catalogue=3_000, more=2_000, pages=5,
    imported=3_000, flat_from=500, batches=2, batch=500,
)  # fmt: skip
FULL = Sizes(
    rounds=5, seconds=4.0, singles=400, starts=3, demo_starts=2, idle_seconds=30.0, catalogue=50_000, more=50_000,
    pages=20, imported=100_000, flat_from=10_000, batches=4, batch=500,
)  # fmt: skip
