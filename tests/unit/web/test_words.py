import pytest

from web.words import MAX_WORDS, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Red Mug", ["red", "mug"]),
        ("Möbel für GÄSTE", ["mobel", "fur", "gaste"]),
        ("KIT-1007.1L", ["kit", "1007", "1l"]),
        ("mug mug", ["mug"]),
        ("", []),
        ("東京 茶碗", ["東京", "茶碗"]),
    ],
)
def test_words_are_folded_and_distinct(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_number_of_words_is_bounded() -> None:
    assert len(words_of(" ".join(map(str, range(1000))))) == MAX_WORDS
