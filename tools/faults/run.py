"""One run of ``scripts/faults``: its servers, options and results."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.faults.trial import Result
from tools.faults.world import Servers, World, world


class NotRunError(Exception):
    """The row cannot run on this machine; the message says why. It does not count as passed."""


@dataclass
class Run:
    """The options and results of one run. ``seed`` determines random choices; ``quick`` reduces volumes and outages."""

    folder: Path
    servers: Servers
    seed: int
    trials: int
    quick: bool
    results: list[Result] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)
    _world: World | None = None

    @contextmanager
    def fresh_world(self, name: str, users: int = 4) -> Iterator[World]:
        """Start a separate product, for a row that measures."""
        with world(self.servers, self.folder / name, name, users=users) as made:
            yield made

    def add(self, result: Result) -> None:
        """Add a result and print it."""
        self.results.append(result)
        print(result if not result.fine or result.figures else f"  {result}", flush=True)

    def row(self, name: str, tried: Callable[[], None]) -> None:
        """Run one row; an error in it is a failed result."""
        print(f"== {name}", flush=True)
        try:
            tried()
        except NotRunError as error:
            self.not_run[name] = str(error)
            print(f"NOT RUN: {error}", flush=True)
        except Exception as error:
            self.add(Result(name, self.seed, figures={"error": repr(error)}))

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        report = {"seed": self.seed, "results": [asdict(r) for r in self.results], "not run": self.not_run}
        path.write_text(json.dumps(report, indent=1, default=str) + "\n", encoding="utf-8")

    @property
    def fine(self) -> bool:
        """Return whether all rows that ran passed."""
        return bool(self.results) and all(result.fine for result in self.results)
