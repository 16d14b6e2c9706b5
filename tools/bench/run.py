"""One run: the servers, the systems on them, and the measurements that rows share."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tools.bench import seed
from tools.bench.servers import Servers, Urls
from tools.bench.sizes import Sizes
from tools.bench.system import System
from tools.stack.api import eventually

if TYPE_CHECKING:
    from tools.bench.imports import Imported

_SETTLED_WITHIN = 900.0


class Run:
    """The context of the rows. A system starts when a row first needs it, and ends with the run."""

    def __init__(self, sizes: Sizes, servers: Servers, folder: Path, selected: Collection[str]) -> None:
        self.sizes, self.servers, self.selected = sizes, servers, selected
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def system(self) -> System:
        """The system that most rows share."""
        return self._stack.enter_context(self.new_system("shared"))

    @contextmanager
    def new_system(self, name: str) -> Iterator[System]:
        """Yield a separate system."""
        with self.servers.room() as urls, System(urls, self._folder / name, self.servers.processes).running() as system:
            yield system

    @contextmanager
    def admin_alone(self, beside: System, products: int) -> Iterator[System]:
        """Yield Admin alone, with a catalogue of its own, so that it does not affect the queues of ``beside``."""
        with self.servers.database() as url:
            urls = Urls(url, beside.addresses.mongodb_url, beside.addresses.broker_url)
            with System(urls, self._folder / "alone", {}).admin_alone() as system:
                seed.admin(system.engine, 1, products, verified=True)
                yield system

    @cached_property
    def some_products(self) -> tuple[int, int]:
        """The first and last id of a thousand products that both stores of ``system`` hold."""
        first = self.free_ids()
        seed.both(self.system, first, first + 999)
        return first, first + 999

    @cached_property
    def grown(self) -> dict[str, dict[int, dict[str, float]]]:
        """The measurements on growing catalogues, by row and size."""
        from tools.bench import growth

        self._end_shared()  # one system at a time: two on one given broker would affect each other
        return growth.measure(self)

    @cached_property
    def imported(self) -> "Imported":
        """The large import that several rows report."""
        from tools.bench import imports

        return imports.measure(self)

    def _end_shared(self) -> None:
        self._stack.close()
        self.__dict__.pop("system", None)

    def free_ids(self) -> int:
        """Return the first id after all of ``system``'s products."""
        return self.system.highest_id() + 1

    def settle(self, system: System | None = None) -> float:
        """Wait until every product is verified; return the seconds it took."""
        at = system or self.system
        return eventually(at.settled, within=_SETTLED_WITHIN, what="every product verified")
