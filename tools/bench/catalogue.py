"""Generated products, equal for all sides of a comparison."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.messages import ProductChanged, ProductContent, format_time
from contract.versions import compose

_COLOURS = ("red", "green", "blue", "amber", "violet", "black", "white", "grey", "teal", "coral")
_THINGS = ("mug", "kettle", "lamp", "chair", "table", "rug", "clock", "vase", "shelf", "basket", "spoon")
_CATEGORIES = tuple(f"Category {number}" for number in range(20))
PERIOD = 220  # products until the combination of colour, thing and category repeats
_DESCRIPTION = "Made by hand in small numbers, to last; each one is a little different from the next. "
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


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


def moment(number: int) -> datetime:
    """Return the time of the last change of product ``number``, ascending, naive UTC."""
    return (_BEGAN + timedelta(milliseconds=20 * number)).replace(tzinfo=None)


def message(number: int, prefix: str = "B") -> ProductChanged:
    """Return product ``number``'s first state as Admin would send it; its id is its number."""
    at = format_time(moment(number))
    return ProductChanged(
        number, compose(0, 1), ProductContent(**content(number, prefix), created_at=at, updated_at=at)
    )


def messages(first: int, last: int, prefix: str = "B") -> Iterator[ProductChanged]:
    """Return the products ``first`` to ``last``, both included."""
    return (message(number, prefix) for number in range(first, last + 1))
