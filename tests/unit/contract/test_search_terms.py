import sys

import pytest

from contract.search_terms import MAX_TERMS, normalise, query_terms, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Red Mug", ["red", "mug"]),
        ("Möbel für GÄSTE", ["mobel", "fur", "gaste"]),
        ("KIT-1007.1L", ["kit", "1007", "1l"]),
        ("mug mug", ["mug"]),
        ("", []),
        ("東京 茶碗", ["東京", "茶碗"]),
        ("𝐁𝐢𝐠 𝐒𝐚𝐥𝐞", ["big", "sale"]),
        ("№5 Parfum", ["no5", "parfum"]),
        ("Lamp™", ["lamptm"]),
        ("Straße ẞ", ["strasse", "ss"]),
        ("!!! 🫖", []),
    ],
)
def test_terms_are_normalised_and_distinct(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms


def test_normalising_twice_changes_no_character_of_unicode() -> None:
    once = {chr(code): normalise(chr(code)) for code in range(sys.maxunicode + 1)}
    assert {text: done for text, done in once.items() if normalise(done) != done} == {}


def test_every_character_is_found_by_its_plain_form() -> None:
    """A stored term is found by its stored form and by its capitals, where those exist."""
    for code in range(sys.maxunicode + 1):
        stored = terms_of(f"x{chr(code)}")
        assert terms_of(*stored) == stored, hex(code)


def test_every_term_of_a_product_is_found() -> None:
    assert len(terms_of(" ".join(map(str, range(1000))))) == 1000


def test_number_of_terms_of_a_search_is_bounded() -> None:
    assert len(query_terms(" ".join(map(str, range(1000))))) == MAX_TERMS
