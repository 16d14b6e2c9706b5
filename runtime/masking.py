"""Masks the secrets of the settings in logs, the doctor's findings, the output of commands and tracebacks.

Lockstep's own messages contain none. A library's exception may quote a secret: as written in the setting, decoded, cut
at a character that it took for a separator, or escaped by ``repr`` or JSON.
"""

import json
import re
from functools import lru_cache
from urllib.parse import quote, unquote

from runtime import urls

MASK = "********"
SHORTEST = 4  # characters; masking shorter ones would hide ordinary words, and no secret is that short
_CUTS = re.compile(r"[\s/?#@:;,&%\[\]+\\'\"]+")

_known: set[str] = set()


def remember(secret: str) -> None:
    """Mask ``secret`` in this process from now on; in ``name:secret,…`` also each secret alone."""
    entries = (entry.strip() for entry in secret.split(","))
    _add({secret, *(entry.partition(":")[2] for entry in entries)})


def remember_url(url: str) -> None:
    """Mask the passwords in ``url``, and parts of them, in this process from now on."""
    found = urls.passwords_in(url)
    texts = found | {unquote(password) for password in found}
    _add(texts | {quote(text, safe="") for text in texts} | {piece for text in texts for piece in _CUTS.split(text)})


def mask(text: str) -> str:
    """Return ``text`` with every remembered secret masked."""
    return _pattern().sub(MASK, text)


def _add(texts: set[str]) -> None:
    quoted = texts | {form for text in texts for form in (repr(text)[1:-1], repr(text.encode())[2:-1])}
    logged = quoted | {json.dumps(text)[1:-1] for text in quoted}
    _known.update(text for text in logged if len(text) >= SHORTEST)
    _pattern.cache_clear()


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """Match the longest secret first, so that no part of one remains; match nothing where none is known."""
    return re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))) or "(?!)")
