"""Rules for the texts of a product. Admin checks what staff save by them, and the Client checks received messages."""

import re
from dataclasses import dataclass
from functools import cached_property

# Each rule is one pattern, so that the OpenAPI document has the exact rule (web/http/openapi.py translates them).
# C0 and C1 controls other than tab and line breaks, which would break pages and terminals.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_BREAKS = r"\t\n\r\u2028\u2029"
_BLANKS = r" \xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"  # white space of any width, zero included
# Other characters without a shape: Unicode's default ignorable ones, format characters, blank letters.
_SHAPELESS = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2061-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\uffa0\ufff0-\ufffb" + "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HOST = rf"(?:[^\s\"'<>\\/?#@:\[\]%{_CONTROLS}]+|\[[0-9A-Fa-f:.]+\])"

_SPACES = "\t\n\r \xa0\u1680\u2028\u2029\u202f\u205f\u2060\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))


def half_character(text: str) -> str | None:
    """Return the error message for a lone surrogate, which JSON can carry and nothing can store or hash; else None."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "Must contain only complete Unicode characters."
    return None


@dataclass(frozen=True)
class Rule:
    """The rule for one text: at most ``longest`` characters that match ``pattern``, else ``error`` is the message.

    ``trims``: ``tidy`` removes spaces around the text and makes line ends LF. The pattern accepts both, so that staff
    may type them.
    """

    longest: int
    pattern: str
    error: str
    trims: bool = False

    def problem(self, text: str) -> str | None:
        """Return the error message for ``text``, None where it is valid."""
        if len(text) > self.longest:  # first: matching a very long text is slow
            return f"Must have at most {self.longest:,} characters."
        if not self._pattern.match(text):
            return self.error
        return half_character(text)

    def tidy(self, text: str) -> str:
        """Return ``text`` as it is stored."""
        return text.replace("\r\n", "\n").replace("\r", "\n").strip(_SPACES) if self.trims else text

    def problem_as_stored(self, text: str) -> str | None:
        """Return the error message for ``text`` where it must be as ``tidy`` returns it, None where it is."""
        problem = self.problem(text)
        if problem is None and self.tidy(text) != text:
            return "Must have no spaces at its beginning or end. Its lines must end with LF."
        return problem

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.pattern)


_LINE = (
    rf"[{_BREAKS}{_BLANKS}]*[{_BLANKS}{_SHAPELESS}]*[^{_BREAKS}{_BLANKS}{_SHAPELESS}{_CONTROLS}]"
    rf"[^{_BREAKS}{_CONTROLS}]*[{_BREAKS}{_BLANKS}]*\Z"
)
_LINE_ERROR = "Must have a visible character, and neither line breaks, tabs nor other control characters."
NO_CONTROLS, NO_CONTROLS_ERROR = rf"[^{_CONTROLS}]*\Z", "Must not contain control characters."
RULES = {
    "sku": Rule(
        64,
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
        "Must be 1 to 64 letters, digits, '.', '_' or '-', and start with a letter or digit.",
    ),
    "title": Rule(200, _LINE, _LINE_ERROR, trims=True),
    "description": Rule(10_000, NO_CONTROLS, NO_CONTROLS_ERROR, trims=True),
    "category": Rule(80, _LINE, _LINE_ERROR, trims=True),
    "image_url": Rule(
        1_000,
        r"(?:|/images/[0-9a-f]{64}"
        r"|/(?!images(?:/|\Z))[A-Za-z0-9_~.-][A-Za-z0-9_~./-]*"
        rf"|[Hh][Tt][Tt][Pp][Ss]?://{_HOST}(?::[0-9]{{1,5}})?(?:[/?#][^\s\"'<>\\{_CONTROLS}]*)?)\Z",
        "Must be an http:// or https:// URL, a path on this site that starts with /, or the address that an image "
        "upload returned, complete.",
    ),
}
