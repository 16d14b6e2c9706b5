"""The rules of a product's texts, for every character where they depend on one."""

import sys
import unicodedata

import pytest

from contract.product_rules import RULES

LINES = pytest.mark.parametrize("name", ["title", "category"])


def test_categories_follow_the_rule_of_titles() -> None:
    assert RULES["category"].pattern == RULES["title"].pattern


def test_line_has_a_visible_character() -> None:
    rule = RULES["title"]
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"} and not _is_drawn(character):
            assert rule.problem(character), hex(code)
            assert rule.problem(character * 2), hex(code)
        elif unicodedata.category(character)[0] in "LNPS" and character not in "\u115f\u1160\u3164\uffa0\u2800":
            assert rule.problem(character) is None, hex(code)


def _is_drawn(character: str) -> bool:
    """Return whether a character has a shape, as some format characters in a few scripts do."""
    name = unicodedata.name(character, "")
    return name.startswith(("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN")) and name != "ARABIC LETTER MARK"


@LINES
@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200d\ufeff", "\u2800\u3164", "\u202e", "\ufe0f", "\U000e0041"])
def test_line_of_invisible_characters_is_refused(name: str, text: str) -> None:
    assert "visible" in str(RULES[name].problem(text))


@LINES
@pytest.mark.parametrize("inside", ["\n", "\r\n", "\t", "\u2028", "\u2029", "\x0b", "\x85"])
def test_line_break_and_tab_are_refused_in_a_line(name: str, inside: str) -> None:
    assert RULES[name].problem(f"Red{inside}mug")


@LINES
@pytest.mark.parametrize("around", [" ", "\t", "\r\n", "\xa0", "\u3000", "\u200b", "\ufeff", " \n\u2003 "])
def test_spaces_around_a_line_are_removed(name: str, around: str) -> None:
    rule = RULES[name]
    for text in (f"Red mug{around}", f"{around}Red mug", f"{around}Red mug{around}"):
        assert rule.problem(text) is None
        assert rule.tidy(text) == "Red mug"
        assert "spaces" in str(rule.problem_as_stored(text))
    assert rule.problem_as_stored("Red mug") is None


def test_every_space_character_around_a_line_is_removed() -> None:
    rule = RULES["title"]
    around = [chr(code) for code in range(sys.maxunicode + 1) if rule.problem(f"\nA{chr(code)}\n") is None]
    spaces = [character for character in around if rule.problem(f"A{character}B") or character.isspace()]
    assert {character: rule.tidy(f"A{character}") for character in spaces if rule.tidy(f"A{character}") != "A"} == {}


@LINES
@pytest.mark.parametrize("text", ["❤️", "👩‍🚀", "می‌خواهم", "abc\u202edef", "\u200fשלום", "A"])
def test_marks_within_a_line_stay(name: str, text: str) -> None:
    rule = RULES[name]
    assert rule.problem(text) is None
    assert rule.tidy(text) == text


def test_description_has_one_kind_of_line_end_and_no_spaces_around() -> None:
    rule = RULES["description"]
    assert rule.tidy("\r\nHolds tea.\r\n\r\tKeeps it warm. \n") == "Holds tea.\n\n\tKeeps it warm."
    assert rule.problem("Holds tea.\n\tKeeps it warm.") is None
    assert rule.problem("") is None


@pytest.mark.parametrize("name", RULES)
def test_length_is_checked_first(name: str) -> None:
    assert f"at most {RULES[name].longest:,} characters" in str(RULES[name].problem("x" + " " * 5_000_000))
    assert RULES[name].problem("\ud800")
