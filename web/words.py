"""Search by word prefix: works on any store, with an ordinary index, in any language."""

import re
import unicodedata

_WORD = re.compile(r"\w+", re.UNICODE)
MAX_WORDS = 40  # per product


def words_of(*texts: str) -> list[str]:
    """Return the distinct words of ``texts``, case and accents folded, at most MAX_WORDS."""
    found = dict.fromkeys(word for text in texts for word in _WORD.findall(fold(text)))
    return list(found)[:MAX_WORDS]


def fold(text: str) -> str:
    """Return ``text`` as search sees it: ``Möbel`` is found by ``mobel`` and ``MÖBEL``."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
