"""Ids that came from outside as text: only numbers that both databases can hold."""

from collections.abc import Iterable

MAX_ID = 2**63 - 1  # BIGINT in MySQL, int64 in BSON


def to_id(text: str) -> int:
    """Return the id that ``text`` names. Raises ValueError where it can be nobody's."""
    number = int(text) if text.isdecimal() and len(text) <= len(str(MAX_ID)) else 0
    if not 0 < number <= MAX_ID:
        raise ValueError(f"an id is a whole number from 1 to {MAX_ID}")
    return number


def to_ids(texts: Iterable[str], limit: int) -> list[int]:
    """Return the first ``limit`` ids among ``texts``; what is no id is left out."""
    found = []
    for text in texts:
        try:
            found.append(to_id(text))
        except ValueError:
            continue
    return found[:limit]
