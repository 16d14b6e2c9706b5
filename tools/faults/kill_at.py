"""Run a command that is killed, as by ``kill -9``, right before or after a function of the product.

    python -m tools.faults.kill_at --markers FOLDER 'after:admin.relay.claims:claim#2' -- lockstep relay

Each point kills once: it leaves a marker in FOLDER, and the process that comes after passes it. Of several
points the first without a marker is armed. ``#2`` means the second call in one process. The function is wrapped
when its module is imported, here and in every process forked from here; the product's code is not touched.
"""

import argparse
import functools
import importlib.util
import inspect
import os
import runpy
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Self

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Point:
    """The point of the kill: ``when`` (before, after) the ``nth`` call of ``function`` in ``module``."""

    when: str
    module: str
    function: str
    nth: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``when:module:function[#nth]``. Raises ValueError."""
        place, _, nth = text.partition("#")
        when, module, function = place.split(":")
        if when not in {BEFORE, AFTER}:
            raise ValueError(f"{text}: must begin with 'before:' or 'after:'")
        return cls(when, module, function, int(nth or 1))

    def __str__(self) -> str:
        return f"{self.when}:{self.module}:{self.function}" + (f"#{self.nth}" if self.nth > 1 else "")

    def marker(self, folder: Path) -> Path:
        """Return the file that records that this point was reached."""
        return folder / str(self).replace(":", "-")


class Executioner(MetaPathFinder):
    """Wraps the function of each point when its module is imported."""

    def __init__(self, points: Sequence[Point], markers: Path, whole_group: bool) -> None:
        self._points, self._markers, self._whole_group = points, markers, whole_group
        self._calls = dict.fromkeys(points, 0)
        self._looking = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        points = [point for point in self._points if point.module == name]
        if not points or self._looking:
            return None
        self._looking = True  # let the other finders find the module
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking = False
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_wrap(module: ModuleType) -> None:
            execute(module)
            for point in points:
                self._wrap(module, point)

        spec.loader.exec_module = execute_and_wrap  # type: ignore[method-assign]
        return spec

    def _wrap(self, module: ModuleType, point: Point) -> None:
        *owners, name = point.function.split(".")
        owner = functools.reduce(getattr, owners, module)
        found = inspect.getattr_static(owner, name)
        if isinstance(found, classmethod | staticmethod):
            setattr(owner, name, type(found)(self._deadly(found.__func__, point)))
        else:
            setattr(owner, name, self._deadly(found, point))

    def _deadly(self, function: Callable[..., Any], point: Point) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if point.when == BEFORE:
                self._reach(point)
            result = function(*args, **kwargs)
            if point.when == AFTER:
                self._reach(point)
            return result

        return wrapper

    def _reach(self, point: Point) -> None:
        armed = next((p for p in self._points if not p.marker(self._markers).exists()), None)
        if point != armed:
            return
        self._calls[point] += 1
        if self._calls[point] < point.nth:
            return
        try:
            point.marker(self._markers).touch(exist_ok=False)
        except FileExistsError:  # another process was first
            return
        if self._whole_group:
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def wrap(command: Sequence[str], points: Sequence[Point], markers: Path, *, whole_group: bool = False) -> list[str]:
    """Return ``command`` with ``points`` armed. ``whole_group`` also kills parents and siblings."""
    options = ["--markers", str(markers), *(["--whole-group"] if whole_group else [])]
    return [sys.executable, "-m", "tools.faults.kill_at", *options, *map(str, points), "--", *command]


def main() -> None:
    """Run the command in this process, with the points armed."""
    split = sys.argv.index("--")
    command = sys.argv[split + 1 :]
    parser = argparse.ArgumentParser(prog="tools.faults.kill_at")
    parser.add_argument("--markers", type=Path, required=True)
    parser.add_argument("--whole-group", action="store_true")
    parser.add_argument("points", nargs="+", type=Point.parse)
    options = parser.parse_args(sys.argv[1:split])
    program = shutil.which(command[0])
    if program is None:
        sys.exit(f"{command[0]}: no such command")
    sys.meta_path.insert(0, Executioner(options.points, options.markers, options.whole_group))
    sys.argv = [program, *command[1:]]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
