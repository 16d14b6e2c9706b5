"""Generated products, equal for all sides of a comparison."""

import csv
from pathlib import Path
from typing import Any

_COLOURS = ("red", "green", "blue", "amber", "violet", "black", "white", "grey", "teal", "coral")
_THINGS = ("mug", "kettle", "lamp", "chair", "table", "rug", "clock", "vase", "shelf", "basket", "spoon")
_CATEGORIES = tuple(f"Category {number}" for number in range(20))
_DESCRIPTION = "Made by hand in small numbers, to last; each one is a little different from the next. "


def content(number: int, prefix: str = "B") -> dict[str, Any]:
    """Return the request of staff that creates product ``number``."""
    colour, thing = _COLOURS[number % len(_COLOURS)], _THINGS[number % len(_THINGS)]
    return {
        "sku": f"{prefix}-{number}",
        "title": f"{colour.capitalize()} {thing} no{number}",
        "description": (_DESCRIPTION * 2).strip(),
        "price": f"{1 + number % 900}.90",
        "currency": "EUR",
        "category": _CATEGORIES[number % len(_CATEGORIES)],
        "image_url": "",
    }


def write(file: Path, rows: int, prefix: str) -> Path:
    """Write ``rows`` products as a CSV file for an import; return ``file``."""
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, list(content(0)))
        writer.writeheader()
        writer.writerows(content(number, prefix) for number in range(rows))
    return file
