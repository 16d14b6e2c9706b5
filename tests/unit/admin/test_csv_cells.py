"""Cells that a spreadsheet would compute are exported as texts, and imported as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.catalogue.csv_cells import plain, safe

SIGNS = "=+-@|%＝＋－＠﹦﹢﹣﹪％｜−"
TEXTS = st.text(st.sampled_from(f"'{SIGNS}\t\r\n \u200b\ufeffab"), max_size=6) | st.text(max_size=20)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tmug", "'=1", "''=1", '=HYPERLINK("x")']
)
def test_formula_becomes_a_text(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\x1f", "'", "' "])
def test_no_form_of_a_sign_begins_a_formula(sign: str, before: str) -> None:
    text = f"{before}{sign}cmd|' /C calc'!A0"
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Mug", "'Twas", "a=b", "1-2", "12.50", "50 %", " ", "“=”", "é"])
def test_other_texts_stay(text: str) -> None:
    assert (safe(text), plain(text)) == (text, text)


@given(TEXTS)
def test_plain_reverts_safe(text: str) -> None:
    assert plain(safe(text)) == text
    assert not safe(text).lstrip().startswith((*SIGNS, "\t", "\r", "\n"))
