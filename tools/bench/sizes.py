"""The sizes of each kind of run."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Sizes:
    """``rounds`` are of the rows that alternate, each ``seconds`` long; the others count products, likes or changes."""

    rounds: int
    seconds: float
    latencies: int  # changes made one at a time
    backlog: int
    one_by_one: int  # changes sent as one Celery task each
    imported: int
    flat_from: int  # imported rows before the first measurement of memory
    likes: int
    idle_seconds: float
    catalogues: tuple[int, ...]  # products seeded; the smallest first
    pages_at: int  # the size to which the pages' goal applies
    changes: int  # per catalogue
    pages: int  # requests per page and catalogue
    bare: int  # documents in the bare bulk writes compared with an import or a backlog


TOY = Sizes(1, 0.3, 5, 60, 20, 60, 20, 20, 0.5, (30, 60), 60, 10, 3, 40)
QUICK = Sizes(2, 1.0, 40, 2_000, 150, 2_000, 500, 1_000, 5.0, (1_000, 2_000), 2_000, 100, 10, 2_000)
FULL = Sizes(
    5, 4.0, 400, 50_000, 2_000, 100_000, 10_000, 10_000, 30.0, (1_000, 100_000, 200_000), 100_000, 1_000, 100, 20_000
)
# SecantusDB takes a quarter of an hour to be filled with a million products, and is read for minutes.
MILLION = replace(FULL, catalogues=(1_000, 100_000, 1_000_000))
