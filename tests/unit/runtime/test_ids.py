"""Ids parsed from text: only numbers that both databases can store."""

import pytest

from runtime.ids import MAX_ID, to_id, to_ids


@pytest.mark.parametrize("text", ["0", "-1", "", " 1", "+1", "1.0", "1e3", "x", str(MAX_ID + 1), "9" * 20, "9" * 5000])
def test_invalid_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number from 1 to"):
        to_id(text)


def test_valid_ids_are_returned_and_others_skipped() -> None:
    assert to_ids(["1", "x", "9" * 20, str(MAX_ID), "3"], 2) == [1, MAX_ID]
