"""The time of a page of a list or search, first and deep, in small and large catalogues."""

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from contract.messages import format_time
from tools.bench import catalogue
from tools.bench.errors import BenchError
from tools.bench.figures import Figure, percentile
from tools.bench.load import Connection
from tools.bench.run import Run
from tools.bench.system import System
from web.http import cursors

TITLE = "List and search pages, by catalogue size"
_PATH = "/api/v1/products"
_DEEP = 0.8  # of the catalogue lies before the page
_ENOUGH = 5.0  # seconds; a slow page is requested fewer times
_SMALL = "beside: "
_Page = tuple[Connection, dict[str, Any]]


def at(run: Run, system: System, size: int) -> dict[str, float]:
    """Return the median time of each page, in ms; at the goal's size also those of an Admin with the smallest
    catalogue, asked in turn. The Client's are left out beyond that size: SecantusDB sorts the whole catalogue for a
    page, and would take longer than the Client waits for it.
    """
    if size != run.sizes.pages_at:
        return _times(run, _of_admin(system, size) | (_of_client(system, size) if size < run.sizes.pages_at else {}))
    smallest = min(run.sizes.catalogues)
    with run.admin_alone(system, smallest) as small:
        beside = {f"{_SMALL}{what}": page for what, page in _of_admin(small, smallest).items()}
        return _times(run, _of_admin(system, size) | beside) | _times(run, _of_client(system, size))


def measure(run: Run) -> list[Figure]:
    """Compare each page with itself in the smallest catalogue, with Admin's pages measured at the same time."""
    seen = run.grown["pages"]
    small, large = min(seen), run.sizes.pages_at
    figures = []
    for what in seen[small]:
        times = {small: seen[large].get(f"{_SMALL}{what}", seen[small][what])}
        times |= {size: found[what] for size, found in seen.items() if size > small and what in found}
        note = ", ".join(f"{ms:.1f} ms at {size:,}" for size, ms in times.items())
        goal = 1.2 if what.startswith("Admin") else None
        ratio = times[large] / times[small]
        figures.append(Figure(f"{what}: {large:,} ÷ {small:,}", ratio, "×", at_most=goal, note=note))
    return figures


def _of_admin(system: System, size: int) -> dict[str, _Page]:
    connection = Connection(system.addresses.admin_port, system.staff_token)
    return {f"Admin, {what}": (connection, query) for what, query in _admin_pages(system, size)}


def _of_client(system: System, size: int) -> dict[str, _Page]:
    connection = Connection(system.addresses.client_port)
    return {f"Client, {what}": (connection, query) for what, query in _client_pages(system, size)}


def _admin_pages(system: System, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    key = system.secrets.admin_secret_key
    deep = max(1, int(size * (1 - _DEEP)))
    position = [format_time(catalogue.moment(deep)), deep]
    newest = {"sort": "-updated_at"}
    deep_newest = newest | {"cursor": _cursor(key, "-updated_at", position)}
    sku = system.ask("SELECT sku FROM products WHERE id = :id", id=deep)
    title = system.ask("SELECT title FROM products WHERE id = :id", id=deep)
    yield "list, first", newest
    yield "list, deep", deep_newest
    yield "list by sku, deep", {"sort": "sku", "cursor": _cursor(key, "sku", [sku, deep])}
    yield "list by title, deep", {"sort": "title", "cursor": _cursor(key, "title", [title, deep])}
    yield "category, deep", deep_newest | {"category": "Category 7"}
    yield "search of a common word, first", newest | {"q": "red"}
    yield "search of a common word, deep", deep_newest | {"q": "red"}
    yield "search of a rare word", newest | {"q": f"no{deep}"}
    yield "search of a rare and a common word", newest | {"q": f"red no{deep // 10 * 10}"}


def _client_pages(system: System, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    deep = max(1, int(size * (1 - _DEEP)))
    position = [format_time(catalogue.moment(deep)), deep]
    yield "list, first", {}
    yield "list, deep", {"cursor": _cursor(system.secrets.client_secret_key, "-created_at", position)}
    yield "search of a rare word", {"q": f"no{deep}"}


def _cursor(key: str, sort: str, position: list[Any]) -> str:
    """Return the service's cursor for ``position``, without reading the pages before."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = key
    with app.app_context():
        return cursors.encode(sort, position)


def _times(run: Run, pages: dict[str, _Page]) -> dict[str, float]:
    """Request each page in turn, as often as the size of the run says, so that a disturbance affects all."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(run.sizes.pages + 1):
        for what, (connection, query) in pages.items():
            if sum(seconds[what]) < _ENOUGH:
                seconds[what].append(_ask(connection, query))
    return {what: percentile(times[1:] or times, 0.5) * 1000 for what, times in seconds.items()}


def _ask(connection: Connection, query: dict[str, Any]) -> float:
    began = time.monotonic()
    status, _, body = connection.send("GET", f"{_PATH}?{urlencode(query)}")
    if status != 200:
        raise BenchError(f"a page was answered {status}: {body[:200]!r}")
    return time.monotonic() - began
