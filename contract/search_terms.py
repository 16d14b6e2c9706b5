"""Search by word prefix: works on any store, with an ordinary index, in any language."""

import re
import unicodedata

_WORD = re.compile(r"\w+", re.UNICODE)
MAX_TERMS = 40  # per search: each costs the store a look-up
SEARCH_DOC = (
    "Products with every one of these words, or words that begin so. Capitals and accents do not matter. "
    "Without a letter or digit, nothing is found."
)
NO_TERMS = "Search needs at least one letter or digit: signs alone are found in no product."


def terms_of(*texts: str) -> list[str]:
    """Return the distinct search terms of ``texts``, normalised. Their number is bounded by the texts' length alone:
    a limit of its own would hide a product's sku behind a long title.
    """
    return list(dict.fromkeys(term for text in texts for term in _WORD.findall(normalise(text))))


def query_terms(q: str) -> list[str]:
    """Return the terms that a product must have to be found by ``q``, at most MAX_TERMS."""
    return terms_of(q)[:MAX_TERMS]


def finds_nothing(q: str) -> bool:
    """Return whether ``q`` asks for something and has no term, such as ``!!!``: no product is found by signs."""
    return bool(q.strip()) and not query_terms(q)


def normalise(text: str) -> str:
    """Return ``text`` as search sees it: ``Möbel`` is found by ``mobel`` and ``MÖBEL``, ``№5`` by ``no5``.

    Normalising twice changes nothing. That needs compatibility forms decomposed before the case is folded, as the
    capitals appear only there, and again afterwards. Accents and invisible marks, such as soft hyphens, go.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in folded if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
