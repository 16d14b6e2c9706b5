import pytest

from runtime.bidi import bdi, isolated

OPEN, CLOSE = "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("Red mug", "Red mug"),
        ("abc\u202edef", "abc\u202edef"),
        (f"out{CLOSE}side", "outside"),
        (f"in{OPEN}side", f"in{OPEN}side{CLOSE}"),
        (f"\u2067{CLOSE}{CLOSE}x{OPEN}", f"\u2067{CLOSE}x{OPEN}{CLOSE}"),
    ],
)
def test_isolates_in_a_text_are_balanced(text: str, within: str) -> None:
    assert isolated(text) == f"{OPEN}{within}{CLOSE}"
    assert bdi(text) == f"<bdi>{within}</bdi>"


def test_markup_in_a_text_is_escaped() -> None:
    assert bdi("<b>&") == "<bdi>&lt;b&gt;&amp;</bdi>"
