"""Search the models with SPIN; print states, memory and time, and the counterexample of each mutant.

Exits with 1 where the design fails a search, or a mutant is not found.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tools.model.searches import CONTROLS, MUTANTS, SEARCHES, Search
from tools.model.spin import MEMORY, Result, run


def main() -> int:
    """Run the chosen searches, a few at once."""
    options = _options()
    chosen = [search for search in (*SEARCHES, *MUTANTS, *CONTROLS) if search.short or options.long]
    if options.only:
        chosen = [search for search in (*SEARCHES, *MUTANTS, *CONTROLS) if options.only == search.name]
    failed = 0
    for result in run_all(chosen):
        print(line_of(result), flush=True)
        if options.story:
            print("".join(f"    {line}\n" for line in result.story), end="")
        failed += not result.good
    print(f"{len(chosen) - failed} of {len(chosen)} as expected")
    return 1 if failed or not chosen else 0


def run_all(searches: Iterable[Search]) -> Iterable[Result]:
    """Run ``searches`` at once where cores and memory allow; yield the results in their order."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    at_once = max(1, min(os.cpu_count() or 1, memory // MEMORY))
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(run, searches)


def line_of(result: Result) -> str:
    """Return one line: what was searched and found."""
    search = result.search
    if search.mutant:
        found = f"found, {result.steps} steps" if result.errors else "SURVIVED"
        return f"mutant {search.name:32} {found:18} {search.tells}"
    verdict = "ok" if result.good else f"{result.errors} ERRORS" if result.errors else "NOT COMPLETE"
    kind = "liveness" if search.liveness else "safety"
    return (
        f"search {search.name:28} {kind:8} {verdict:8} {result.states:>11,} states {result.depth:>5} deep "
        f"{result.megabytes:>6.0f} MB {result.seconds:>6.1f} s  {search.bounds}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.model", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="the searches of scripts/test, about a minute (default)")
    size.add_argument("--long", action="store_true", help="the larger searches too, some minutes")
    parser.add_argument("--only", metavar="NAME", help="run one search or mutant")
    parser.add_argument("--story", action="store_true", help="print each counterexample, message by message")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
