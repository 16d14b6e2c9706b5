"""Texts in CSV files: none of ours becomes a formula of whoever opens it with a spreadsheet."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MADE_SAFE = re.compile(r"'+[=+\-@\t\r]")


def safe(text: str) -> str:
    """Return ``text`` with an apostrophe before what a spreadsheet would compute; ``plain`` takes it away."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain(text: str) -> str:
    """Return what ``safe`` was given."""
    return text[1:] if _MADE_SAFE.match(text) else text
