"""Progress on a terminal, and plain output elsewhere."""

import os
import pty
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import click
from runtime.cli.terminal import progress
with progress("working", 2) as advance:
    click.echo("data")
    click.echo("a remark", err=True)
    advance(1)
"""


def test_progress_is_on_stderr_of_a_terminal_and_data_on_stdout() -> None:
    terminal, its_end = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=Path(__file__).parents[3],
            env=dict(os.environ) | {"TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=its_end,
            text=True,
            check=True,
        )
        seen = os.read(terminal, 65536).decode()
    finally:
        os.close(its_end)
        os.close(terminal)
    assert done.stdout == "data\n"
    assert "working" in seen
    assert "a remark" in seen


def test_no_progress_is_shown_without_a_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("data\n", "a remark\n")
