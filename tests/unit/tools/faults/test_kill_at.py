"""Kill points: they name functions that exist, kill once, and leave everything else alone."""

import importlib
import os
import signal
import subprocess
from functools import reduce
from pathlib import Path

import pytest

from tools.faults import kill_points
from tools.faults.kill_at import Point, wrap
from tools.stack.product import ROOT

POINTS = [p for name, value in vars(kill_points).items() if name.isupper() for p in value]


@pytest.mark.parametrize("text", POINTS)
def test_kill_point_names_a_function(text: str) -> None:
    point = Point.parse(text)
    assert callable(reduce(getattr, point.function.split("."), importlib.import_module(point.module)))


def test_point_that_says_neither_before_nor_after_is_refused() -> None:
    with pytest.raises(ValueError, match="before:"):
        Point.parse("at:json:dumps")


@pytest.mark.parametrize(("text", "printed"), [("before:json:dumps#2", b"[1]\n"), ("after:json:dumps#2", b"[1]\n")])
def test_process_dies_at_its_point_once_and_runs_through_afterwards(tmp_path: Path, text: str, printed: bytes) -> None:
    program = tmp_path / "program"
    program.write_text("import json\nfor n in (1, 2, 3): print(json.dumps([n]), flush=True)\n")
    program.chmod(0o700)
    command = wrap([str(program)], [Point.parse(text)], tmp_path)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    first, second = (subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=False) for _ in range(2))
    assert (first.returncode, first.stdout) == (-signal.SIGKILL, printed)
    assert (second.returncode, second.stdout) == (0, b"[1]\n[2]\n[3]\n")
