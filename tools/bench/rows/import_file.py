"""The rate from a file to the Client, compared with bulk writes to each store, and the memory."""

from tools.bench.figures import Figure, of_rounds
from tools.bench.run import Run

TITLE = "Import, file → Client"


def measure(run: Run) -> list[Figure]:
    """Report it from the shared import."""
    seen = run.imported
    slower = min(seen.bare_sql, seen.bare_mongo, key=sum)
    ratios = sorted(seen.rate / rate for rate in slower)
    middle = seen.rate / (sum(slower) / len(slower))
    return [
        Figure("÷ the slower store's bare bulk rate", middle, "×", (ratios[0], ratios[-1]), at_least=0.5),
        Figure(f"{run.sizes.imported:,} products, file → Client", seen.rate, "/s"),
        Figure("file → Admin", seen.stored, "/s"),
        of_rounds("bare bulk inserts, Admin's store", seen.bare_sql, "/s"),
        of_rounds("bare bulk upserts, the Client's store", seen.bare_mongo, "/s"),
        *_memory(run),
    ]


def _memory(run: Run) -> list[Figure]:
    about = f"memory, {run.sizes.flat_from:,} → {run.sizes.imported:,} rows"
    return [
        Figure(f"{name}, {about}", late / early, "×", at_most=1.15, note=f"{early:.0f} → {late:.0f} MB")
        for name, (early, late) in run.imported.memory.items()
    ]
