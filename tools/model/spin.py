"""Builds and runs one search with SPIN: ``spin -a``, the C compiler, the search itself, and the replay of its trail."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.model.searches import Search

FOLDER = Path(__file__).parents[2] / "model"
MEMORY = 4_000  # MB per search
DEPTH = 200_000  # steps
MUTANTS_DEPTH = 2_000  # keeps counterexamples short
_TIMEOUT = 3_600  # seconds
_NOT_COMPLETE = re.compile(
    r"max search depth too small|Search not completed|out of memory|reached -DMEMLIM", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a search found. ``story`` is the counterexample, one line a message; ``steps`` its length."""

    search: Search
    errors: int
    complete: bool
    states: int
    depth: int
    megabytes: float
    seconds: float
    steps: int
    story: list[str]

    @property
    def good(self) -> bool:
        """Whether the design holds completely, or a mutant was found."""
        return bool(self.errors) if self.search.mutant else self.complete and not self.errors


def run(search: Search, depth: int = DEPTH) -> Result:
    """Run ``search`` in a folder of its own, at most ``depth`` steps deep. Raises RuntimeError where a tool fails."""
    with tempfile.TemporaryDirectory() as folder:
        _build(search, folder)
        mode = ["-a", "-f"] if search.liveness else []
        text = _output(["./pan", "-n", f"-m{MUTANTS_DEPTH if search.mutant else depth}", *mode], folder)
        trail = next(Path(folder).glob("*.trail"), None)
        steps, story = _replay(search, trail, folder) if trail else (0, [])
    return Result(
        search,
        errors=int(_number(r"errors: (\d+)", text)),
        complete=not _NOT_COMPLETE.search(text),
        states=int(_number(r"(\d+(?:\.\d+e\+\d+)?) states, stored", text)),
        depth=int(_number(r"depth reached (\d+)", text)),
        megabytes=_number(r"([\d.]+)\s+total actual memory usage", text),
        seconds=_number(r"elapsed time ([\d.e+-]+)", text),
        steps=steps,
        story=story,
    )


def _build(search: Search, folder: str) -> None:
    _output(["spin", "-a", *search.flags, str(FOLDER / f"{search.model}.pml")], folder, check=True)
    # A mutant's search ends soon, so its compilation takes most of the time. Breadth first finds the shortest trail.
    how = ["-O0" if search.mutant else "-O2"]
    how += ["-DNFAIR=3"] if search.liveness else ["-DSAFETY", *(["-DBFS"] if search.mutant else [])]
    how += ["-DCOLLAPSE"] if search.compress else []
    _output(["cc", "-w", *how, f"-DMEMLIM={MEMORY}", "-DVECTORSZ=2048", "-o", "pan", "pan.c"], folder, check=True)


def _replay(search: Search, trail: Path, folder: str) -> tuple[int, list[str]]:
    command = ["spin", "-t", "-k", str(trail), *search.flags, str(FOLDER / f"{search.model}.pml")]
    text = _output(command, folder)
    story = re.findall(r"^ *@(.*)$|^ *<+(START OF CYCLE)", text, re.MULTILINE)
    return int(_number(r"trail ends after (\d+) steps", text)), [line or "for ever" for line, _cycle in story]


def _output(command: list[str], folder: str, check: bool = False) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0
