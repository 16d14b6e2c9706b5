"""What a run found: a table on the terminal, JSON, and a chart of cost against size."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from os import cpu_count
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.rows import ROWS

Results = Mapping[str, Sequence[Figure]]


def show(results: Results, console: Console) -> None:
    """Print one line per figure; goals and whether they were met stand beside."""
    table = Table("what", "figure", "spread", "goal", "", title="Lockstep beside the bare limits")
    for name, figures in results.items():
        table.add_section()
        table.add_row(f"[bold]{ROWS[name].TITLE}")
        for figure in figures:
            spread = f"{_number(figure.spread[0])} … {_number(figure.spread[1])}" if figure.spread else ""
            met = {True: "[green]met", False: "[red]missed", None: figure.note}[figure.met]
            table.add_row(f"  {figure.what}", f"{_number(figure.value)} {figure.unit}", spread, figure.goal, met)
    console.print(table)


def as_json(results: Results, size: str, curves: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything, for a file."""
    machine = {"python": platform.python_version(), "system": platform.platform(), "cpus": cpu_count()}
    rows = {
        name: {"title": ROWS[name].TITLE, "figures": [{**asdict(f), "met": f.met} for f in figures]}
        for name, figures in results.items()
    }
    return {"at": datetime.now(UTC).isoformat(), "size": size, "machine": machine, "rows": rows, "curves": curves}


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
