"""Dead letters on a terminal. Their content is untrusted, so control characters are escaped."""

import json
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

_PRODUCTS_SHOWN = 3  # in a table's row
_ID_SHOWN = 12
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (0, "s"))  # seconds


def table(dead_letters: list[dict[str, Any]]) -> Table:
    """Return one row for each dead letter."""
    rows = Table(box=None, pad_edge=False)
    for heading, options in _COLUMNS.items():
        rows.add_column(heading, **options)
    for dead_letter in dead_letters:
        rows.add_row(*map(_cell, _row(dead_letter)))
    return rows


_COLUMNS: dict[str, dict[str, Any]] = {
    "ID": {"no_wrap": True, "min_width": _ID_SHOWN},
    "AGE": {"no_wrap": True, "justify": "right"},
    "STATE": {"no_wrap": True},
    "QUEUE": {"overflow": "fold"},
    "TASK": {"overflow": "fold"},
    "PRODUCTS": {"overflow": "fold"},
    "REASON": {"overflow": "fold", "ratio": 1},
}


def _row(dead_letter: dict[str, Any]) -> list[str]:
    ids = [str(product["id"]) for product in dead_letter["products"]]
    more = len(ids) - _PRODUCTS_SHOWN + dead_letter["products_left_out"]
    products = ", ".join(ids[:_PRODUCTS_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return [
        dead_letter["_id"][:_ID_SHOWN],
        age(dead_letter["died_at"]),
        dead_letter["state"],
        dead_letter["queue"] or "-",
        dead_letter["task"].removeprefix("tasks.") or "-",
        products or "-",
        dead_letter["reason"],
    ]


def details(shown: dict[str, Any]) -> str:
    """Return every field of a dead letter (as ``queries.show`` gives it), the payload last."""
    lines = [f"{name + ':':19} {value}" for name, value in shown.items() if name not in {"payload", "products"}]
    products = [f"{p['id']}" + (f" version {p['version']}" if p["version"] else "") for p in shown["products"]]
    return printable("\n".join([*lines, f"{'products:':19} {', '.join(products) or '-'}", "", _payload(shown)]))


def _payload(shown: dict[str, Any]) -> str:
    text: str = shown["payload"]
    if shown["payload_cut"] or shown["payload_encoding"] != "text":
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def age(moment: datetime) -> str:
    """Return how long ago ``moment`` was, in its largest unit."""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    size, unit = next(step for step in _STEPS if seconds >= step[0])
    return f"{seconds // size if size else seconds} {unit}"


def printable(text: str) -> str:
    """Return ``text`` with every control character escaped except newlines."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def _cell(text: str) -> Text:
    return Text(printable(text.replace("\n", " ")))
