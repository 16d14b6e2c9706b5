"""The matrix of ``scripts/faults``: one row per fault and kill point."""

from collections.abc import Iterable

from tools.faults.run import Run
from tools.faults.trial import Result

_COLUMNS = ("trials", "accepted", "lost", "duplicated", "resurrected", "settled after")


def table(run: Run) -> str:
    """Return the matrix as text; failed rows are marked with ``!``."""
    by_fault: dict[str, list[Result]] = {}
    for result in run.results:
        by_fault.setdefault(result.fault, []).append(result)
    rows = [_row(name, results) for name, results in by_fault.items()]
    wide = max(len(name) for name in ["fault", *(row[0] for row in rows), *run.not_run])
    head = f"  {'fault':{wide}} " + " ".join(f"{column:>13}" for column in _COLUMNS)
    lines = [f"{mark} {name:{wide}} " + " ".join(f"{cell:>13}" for cell in cells) for name, mark, cells in rows]
    not_run = [f"- {name:{wide}} not run: {reason}" for name, reason in run.not_run.items()]
    return "\n".join([head, *lines, *not_run, _total(run.results)])


def _row(name: str, results: list[Result]) -> tuple[str, str, list[str]]:
    settled = [result.settled for result in results]
    slowest = "never" if None in settled else f"{max(s for s in settled if s is not None):.1f} s"
    return name, " " if all(r.fine for r in results) else "!", [str(len(results)), *_counts(results), slowest]


def _counts(results: Iterable[Result]) -> list[str]:
    results = list(results)
    verdicts = [result.verdict for result in results]
    counts = (
        sum(result.accepted for result in results),
        sum(len(verdict.lost) for verdict in verdicts),
        sum(len(verdict.duplicated) for verdict in verdicts),
        sum(len(verdict.resurrected) for verdict in verdicts),
    )
    return [f"{count:,}" for count in counts]


def _total(results: list[Result]) -> str:
    accepted, lost, duplicated, resurrected = _counts(results)
    what = f"{accepted} writes accepted: {lost} lost, {duplicated} applied twice, {resurrected} resurrected"
    return f"{len(results)} trials, {what}"
