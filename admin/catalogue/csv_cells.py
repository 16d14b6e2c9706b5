"""Texts in CSV files: none of ours becomes a formula of whoever opens it with a spreadsheet."""

import unicodedata

_BEGINS_FORMULA = frozenset("=+-@|%\N{MINUS SIGN}")  # the last three in some versions, or when a cell is pasted
_INVISIBLE = ("C", "Z")  # Unicode's controls, formats and spaces: some programs skip them


def safe(text: str) -> str:
    """Return ``text`` with an apostrophe before what a spreadsheet would compute; ``plain`` takes it away."""
    return f"'{text}" if _would_be_computed(text) else text


def plain(text: str) -> str:
    """Return what ``safe`` was given."""
    return text[1:] if text.startswith("'") and _would_be_computed(text) else text


def _would_be_computed(text: str) -> bool:
    """Judge ``text`` without the apostrophes before it, so that each more or less changes nothing."""
    rest = text.lstrip("'")
    if rest[:1] in ("\t", "\r", "\n"):  # what follows may land in a cell of its own
        return True
    first = next((sign for sign in rest if not unicodedata.category(sign).startswith(_INVISIBLE)), "")
    # Wide and small forms are read as the sign itself.
    return unicodedata.normalize("NFKC", first)[:1] in _BEGINS_FORMULA
