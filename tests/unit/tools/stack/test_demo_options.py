"""The demo's command line."""

from pathlib import Path

import pytest

from tools.stack.demo.options import HOME, parse


def test_defaults_are_the_documented_ones() -> None:
    options = parse([])
    assert (options.admin_port, options.client_port, options.flower_port) == (5001, 5002, 5555)
    assert options.state == HOME
    assert options.install
    assert not options.once
    assert not options.fresh


def test_relative_state_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse(["--state", "here"]).state == tmp_path / "here"


@pytest.mark.parametrize(
    "arguments",
    [["--admin-port", "0"], ["--admin-port", "65536"], ["--admin-port", "x"], ["--admin-port", "5002"], ["--unknown"]],
)
def test_wrong_options_are_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert "usage: scripts/demo" in capsys.readouterr().err
