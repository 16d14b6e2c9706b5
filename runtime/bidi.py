"""Isolate user text within a sentence, so that its direction does not reorder the text around it.

Unicode's bidirectional algorithm orders a line as a whole. A title in Hebrew moves the full stop after it, and a title
with U+202E (right-to-left override) reverses the rest of the sentence. An isolate limits both to the title.
"""

import re

from markupsafe import Markup

_OPEN, _FIRST_STRONG, _CLOSE = "\u2066\u2067\u2068", "\u2068", "\u2069"
_ISOLATES = re.compile(f"[{_OPEN}{_CLOSE}]")


def isolated(text: str) -> str:
    """Return ``text`` between isolate characters: for attributes, titles and other text without markup."""
    return f"{_FIRST_STRONG}{_balanced(text)}{_CLOSE}"


def bdi(text: str) -> Markup:
    """Return ``text`` in a ``<bdi>`` element."""
    return Markup("<bdi>{}</bdi>").format(_balanced(text))


def _balanced(text: str) -> str:
    """Return ``text`` with isolates opened and closed in pairs: an extra closing one would close the outer isolate."""
    if not _ISOLATES.search(text):
        return text
    kept, depth = [], 0
    for character in text:
        depth += (character in _OPEN) - (character == _CLOSE)
        if depth < 0:
            depth = 0
        else:
            kept.append(character)
    return "".join(kept) + _CLOSE * depth
