"""Escapes texts in CSV files, so that a spreadsheet computes none of them as a formula."""

import unicodedata

_BEGINS_FORMULA = frozenset("=+-@|%\N{MINUS SIGN}")  # the last three in some programs, or when pasted
_INVISIBLE = ("C", "Z")  # Unicode's controls, formats and spaces, which some programs skip


def safe(text: str) -> str:
    """Return ``text`` with an apostrophe in front where a spreadsheet would compute it; ``plain`` removes it."""
    return f"'{text}" if _would_be_computed(text) else text


def plain(text: str) -> str:
    """Return the text from which ``safe`` made ``text``."""
    return text[1:] if text.startswith("'") and _would_be_computed(text) else text


def _would_be_computed(text: str) -> bool:
    """Return whether ``text``, without its leading apostrophes, would be computed."""
    bare = text.lstrip("'")
    if bare[:1] in ("\t", "\r", "\n"):  # the text after it may get a cell of its own
        return True
    first = next((sign for sign in bare if not unicodedata.category(sign).startswith(_INVISIBLE)), "")
    # Programs read wide and small forms as the sign itself.
    return unicodedata.normalize("NFKC", first)[:1] in _BEGINS_FORMULA
