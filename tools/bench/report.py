"""The report of a run: a table on the terminal or in a document, and JSON."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain, repeat
from os import cpu_count
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tools.bench.errors import BenchError
from tools.bench.figures import Figure, number
from tools.bench.rows import ROWS

Results = Mapping[str, Sequence[Figure]]
BEGIN, END = "<!-- figures: scripts/bench --markdown -->", "<!-- end of figures -->"


def show(results: Results, console: Console) -> None:
    """Print one line per figure, with its goal and whether it was met."""
    table = Table("what", "figure", "spread", "goal", "", "", title="Lockstep compared with bare Flask views")
    for name, figures in results.items():
        table.add_section()
        table.add_row(f"[bold]{ROWS[name].TITLE}")
        for figure in figures:
            what, value, spread, goal, met, remarks = _cells(figure)
            colour = {"met": "[green]", "missed": "[red]"}.get(met, "")
            table.add_row(f"  {what}", value, spread, goal, f"{colour}{met}", remarks)
    console.print(table)


def check(document: Path) -> None:
    """Raise BenchError unless ``document`` has the markers for the table. Called before the run."""
    _around(document)


def put_into(document: Path, results: Results, size: str) -> None:
    """Replace the text between the two markers of ``document`` by the table, in Markdown. Raises BenchError."""
    before, after = _around(document)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    lines = [f"{day}, {size} size, {cpu_count()} cores, Python {platform.python_version()}, {platform.system()}.", ""]
    lines += ["| | what | figure | spread | goal | | |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, figures in results.items():
        titles = chain([f"**{ROWS[name].TITLE}**"], repeat(""))
        lines += [f"| {' | '.join((title, *_cells(figure)))} |" for title, figure in zip(titles, figures, strict=False)]
    document.write_text("\n".join([before + BEGIN, *lines, END + after]), encoding="utf-8")


def _around(document: Path) -> tuple[str, str]:
    text = document.read_text(encoding="utf-8") if document.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BenchError(f"{document} has no lines {BEGIN} and {END}")
    return before, after


def _cells(figure: Figure) -> tuple[str, str, str, str, str, str]:
    spread = f"{number(figure.spread[0])} … {number(figure.spread[1])}" if figure.spread else ""
    met = {True: "met", False: "missed", None: ""}[figure.met]
    return figure.what, f"{number(figure.value)} {figure.unit}", spread, figure.goal, met, figure.remarks


def bars(results: Results) -> dict[str, Mapping[str, float]]:
    """Return the parts of the figures that the chart shows, by the name of their bar."""
    return {figure.bar: figure.parts for figures in results.values() for figure in figures if figure.bar}


def as_json(results: Results, size: str) -> dict[str, Any]:
    """Return all results for the JSON file."""
    machine = {"python": platform.python_version(), "system": platform.platform(), "cpus": cpu_count()}
    rows = {
        name: {"title": ROWS[name].TITLE, "figures": [{**asdict(f), "met": f.met} for f in figures]}
        for name, figures in results.items()
    }
    return {"at": datetime.now(UTC).isoformat(), "size": size, "machine": machine, "rows": rows}
