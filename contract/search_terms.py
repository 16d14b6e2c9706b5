"""Search by word prefix. It works on any store with an ordinary index, in any language."""

import re
import unicodedata

_WORD = re.compile(r"\w+", re.UNICODE)
MAX_TERMS = 40  # per search: each costs the store an index scan
SEARCH_DOC = (
    "Finds products in which each of these words is the beginning of a word. Case and accents are ignored. "
    "A search without a letter or digit finds nothing."
)
NO_TERMS = "Enter at least one letter or digit to search."


def terms_of(*texts: str) -> list[str]:
    """Return the distinct search terms of ``texts``, normalised. Their number has no limit beside the texts' length:
    with one, a long title could displace the product's sku.
    """
    return list(dict.fromkeys(term for text in texts for term in _WORD.findall(normalise(text))))


def query_terms(q: str) -> list[str]:
    """Return the search terms of the query ``q``, at most MAX_TERMS."""
    return terms_of(q)[:MAX_TERMS]


def finds_nothing(q: str) -> bool:
    """Return whether ``q`` is not blank and has no search term, such as ``!!!``."""
    return bool(q.strip()) and not query_terms(q)


def normalise(text: str) -> str:
    """Normalise ``text`` for search: ``Möbel`` is found by ``mobel`` and ``MÖBEL``, ``№5`` by ``no5``.

    Normalising is idempotent. Compatibility forms are therefore decomposed both before the case is folded, as some
    capitals appear only then, and after it. Accents and invisible characters, such as soft hyphens, are removed.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in folded if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
