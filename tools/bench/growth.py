"""Grow one catalogue from size to size, and measure the rows about its size at each."""

from tools.bench import seed
from tools.bench.rows import ROWS
from tools.bench.run import Run

GROWN = ("change_cost", "pages", "reconcile")


def measure(run: Run) -> dict[str, dict[int, dict[str, float]]]:
    """Return, by row and size, what the row's ``at`` measured."""
    rows = {name: ROWS[name] for name in GROWN if name in run.selected}
    found: dict[str, dict[int, dict[str, float]]] = {name: {} for name in rows}
    held = 0
    with run.new_system("growing") as system:
        for size in run.sizes.catalogues:
            seed.both(system, held + 1, size)
            held = size
            for name, row in rows.items():
                found[name][size] = row.at(run, system, size)
    return found
