"""Find text by users that a page shows without an isolate, where its direction could reorder the sentence."""

from html.parser import HTMLParser

MARK = "\u202e"  # right-to-left override, which tests put into text by users
_ISOLATING = {"bdi", "textarea", "option", "script"}
_DATA = {"value", "href", "action", "src"}  # attributes that are not read as a sentence
_VOID = {"input", "img", "meta", "link", "br", "hr", "use", "source", "wbr"}


class _Loose(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.within: list[tuple[str, bool]] = []  # the enclosing elements, and whether each isolates
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name not in _DATA and not name.startswith("data-") and _is_loose(value or ""):
                self.found.append(f"{tag} {name}={value!r}")
        if tag not in _VOID:
            self.within.append((tag, tag in _ISOLATING or ("dir", "auto") in attrs))

    def handle_endtag(self, tag: str) -> None:
        while self.within and self.within.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(isolates for _tag, isolates in self.within) and _is_loose(data):
            self.found.append(f"{' '.join(tag for tag, _ in self.within[-3:])}: {data!r}")


def _is_loose(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character in "\u2066\u2067\u2068") - (character == "\u2069")
        if character == MARK and depth < 1:
            return True
    return False


def loose(page: str) -> list[str]:
    """Return the places where ``page`` shows text with MARK without an isolate."""
    parser = _Loose()
    parser.feed(page)
    parser.close()
    return parser.found
