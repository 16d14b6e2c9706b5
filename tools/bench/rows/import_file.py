"""The rate from a file into Admin, and the memory."""

from tools.bench.figures import Figure
from tools.bench.run import Run

TITLE = "Import of a file"


def measure(run: Run) -> list[Figure]:
    """Report it from the shared import."""
    seen, sizes = run.imported, run.sizes
    growth = {name: late / early for name, (early, late) in seen.memory.items()}
    about = f"memory of a process, {sizes.flat_from:,} → {sizes.imported:,} rows, largest growth"
    return [
        Figure(f"{sizes.imported:,} products, file → Admin", seen.rate, "/s", at_least=4_000),
        Figure(about, max(growth.values()), "×", at_most=1.15, parts=growth),
    ]
