"""Text that people wrote, within sentences of ours: whatever its direction, it turns nothing around it.

Unicode's bidirectional algorithm orders a line as a whole. A title in Hebrew moves the full stop behind it, and one
with U+202E (right-to-left override) shows the rest of the sentence backwards. An isolate keeps both inside.
"""

import re

from markupsafe import Markup

_OPEN, _FIRST_STRONG, _CLOSE = "\u2066\u2067\u2068", "\u2068", "\u2069"
_ISOLATES = re.compile(f"[{_OPEN}{_CLOSE}]")


def isolated(text: str) -> str:
    """Return ``text`` in an isolate of characters: for attributes, titles and whatever else holds no markup."""
    return f"{_FIRST_STRONG}{_balanced(text)}{_CLOSE}"


def bdi(text: str) -> Markup:
    """Return ``text`` in an isolate of HTML."""
    return Markup("<bdi>{}</bdi>").format(_balanced(text))


def _balanced(text: str) -> str:
    """Return ``text`` with as many isolates closed as are opened in it: one too many would close the one around it."""
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
