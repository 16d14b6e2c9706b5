"""One run: the servers, the system on them, and the measurements that rows share."""

import subprocess
from collections.abc import Collection
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tools.bench import catalogue
from tools.bench.errors import BenchError
from tools.bench.servers import Servers
from tools.bench.sizes import Sizes
from tools.bench.system import System
from tools.stack.api import eventually
from tools.stack.product import ROOT

if TYPE_CHECKING:
    from tools.bench.imports import Imported

_SETTLED_WITHIN = 900.0


class Run:
    """The context of the rows. The system starts when a row first needs it, and ends with the run."""

    def __init__(self, sizes: Sizes, servers: Servers, folder: Path, selected: Collection[str]) -> None:
        self.sizes, self.servers, self.folder, self.selected = sizes, servers, folder, selected
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def system(self) -> System:
        """The system that all rows share."""
        urls = self._stack.enter_context(self.servers.room())
        return self._stack.enter_context(System(urls, self.folder / "system", self.servers.processes).running())

    @cached_property
    def caught_up(self) -> dict[str, float]:
        """The CPU milliseconds of a product in the backlog that fills the catalogue, by process."""
        from tools.bench import backlogs

        return backlogs.measure(self)

    @cached_property
    def imported(self) -> "Imported":
        """The large import that several rows report."""
        from tools.bench import imports

        return imports.measure(self)

    def start_import(self, prefix: str, products: int) -> subprocess.Popen[bytes]:
        """Start to import ``products`` new products, whose skus begin with ``prefix``."""
        file = catalogue.write(self.folder / f"{prefix}.csv", products, prefix)
        with (self.system.logs / f"import-{prefix}.log").open("wb") as log:
            command = ["lockstep", "import", str(file)]
            return subprocess.Popen(command, cwd=ROOT, env=dict(self.system.product.env), stdout=log, stderr=log)

    def finish_import(self, importer: subprocess.Popen[bytes]) -> None:
        """Wait until all is stored. Raises BenchError where the import failed."""
        if importer.wait():
            raise BenchError(f"an import ended with {importer.returncode}")

    def settle(self) -> None:
        """Wait until every product is verified. Raises NotSeenError."""
        eventually(self.system.settled, within=_SETTLED_WITHIN, what="every product verified")
