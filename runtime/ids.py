"""Parse ids: whole numbers that both databases can store."""

from collections.abc import Iterable

MAX_ID = 2**63 - 1  # BIGINT in MySQL, int64 in BSON


def to_id(text: str) -> int:
    """Return ``text`` as an id. Raises ValueError where it is no possible id."""
    number = int(text) if text.isdecimal() and len(text) <= len(str(MAX_ID)) else 0
    if not 0 < number <= MAX_ID:
        raise ValueError(f"an id is a whole number from 1 to {MAX_ID}")
    return number


def to_ids(texts: Iterable[str], limit: int) -> list[int]:
    """Return the first ``limit`` ids among ``texts``; other texts are skipped."""
    found = []
    for text in texts:
        try:
            found.append(to_id(text))
        except ValueError:
            continue
    return found[:limit]
