"""The demo's output without a terminal, and on terminals with few characters."""

import io

import pytest

from tools.stack.demo.screen import Screen


def printed_with(encoding: str) -> tuple[Screen, io.BytesIO]:
    raw = io.BytesIO()
    return Screen(io.TextIOWrapper(raw, encoding=encoding)), raw


def test_step_is_one_plain_line_without_a_terminal() -> None:
    screen, raw = printed_with("utf-8")
    with screen.step("Admin"):
        screen.show_progress("soon")
    assert raw.getvalue().decode() == "  ✓ Admin  0.0 s\n"


def test_failed_step_is_shown_and_the_error_is_raised() -> None:
    screen, raw = printed_with("utf-8")
    with pytest.raises(ValueError, match="why"), screen.step("Admin"):
        raise ValueError("why")
    assert "✗ Admin" in raw.getvalue().decode()


def test_characters_that_the_output_cannot_show_are_replaced() -> None:
    screen, raw = printed_with("ascii")
    with screen.step("Frühstück"):
        pass
    assert raw.getvalue() == b"  ok: Fr?hst?ck  0.0 s\n"
