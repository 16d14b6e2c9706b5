"""Masks the settings' secrets in every text that a person may see: logs, the doctor, commands, tracebacks.

No message of ours holds one. A library's exception may quote what it was given: as written in the setting, decoded,
cut at a character that it took for a separator, or escaped by ``repr`` or JSON.
"""

import json
import re
from functools import lru_cache
from urllib.parse import quote, unquote

from runtime import urls

MASK = "********"
SHORTEST = 4  # characters; to mask shorter ones would blot out ordinary words, and nothing that short is a secret
_CUTS = re.compile(r"[\s/?#@:;,&%\[\]+\\'\"]+")

_known: set[str] = set()


def remember(secret: str) -> None:
    """Mask ``secret`` from now on in this process; of ``name:secret,…``, each secret as well."""
    entries = (entry.strip() for entry in secret.split(","))
    _add({secret, *(entry.partition(":")[2] for entry in entries)})


def remember_url(url: str) -> None:
    """Mask the passwords in ``url`` from now on in this process, and their parts."""
    found = urls.passwords_in(url)
    texts = found | {unquote(password) for password in found}
    _add(texts | {quote(text, safe="") for text in texts} | {piece for text in texts for piece in _CUTS.split(text)})


def mask(text: str) -> str:
    """Return ``text`` without any secret that this process remembers."""
    return _pattern().sub(MASK, text)


def _add(texts: set[str]) -> None:
    quoted = texts | {form for text in texts for form in (repr(text)[1:-1], repr(text.encode())[2:-1])}
    logged = quoted | {json.dumps(text)[1:-1] for text in quoted}
    _known.update(text for text in logged if len(text) >= SHORTEST)
    _pattern.cache_clear()


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """The longest first, so that no part of one is left over; where none is known, what never matches."""
    return re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))) or "(?!)")
