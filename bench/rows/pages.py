"""What a page of a list or a search costs, first and deep, in a small catalogue and in large ones."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from bench import catalogue
from bench.errors import BenchError
from bench.figures import Figure, percentile
from bench.load import Connection
from bench.run import Run
from bench.system import System
from tasks.messages import format_time
from web import cursors

TITLE = "List and search pages, by catalogue size"
_PATH = "/api/v1/products"
_DEEP = 0.8  # of the catalogue lies before the page


def at(run: Run, system: System, size: int) -> dict[str, float]:
    """Return the median time of each page, in ms. The Client's are left out beyond the goal's size: SecantusDB sorts
    the whole catalogue for a page, and would take longer than the Client waits for it.
    """
    admin = Connection(system.addresses.admin_port, system.staff_token)
    pages = [("Admin", admin, *page) for page in _admin_pages(system, size)]
    if size <= run.sizes.pages_at:
        client = Connection(system.addresses.client_port)
        pages += [("Client", client, *page) for page in _client_pages(system, size)]
    return {f"{who}, {what}": _median(connection, query, run.sizes.pages) for who, connection, what, query in pages}


def measure(run: Run) -> list[Figure]:
    """Compare each page with itself in the smallest catalogue."""
    seen = run.grown["pages"]
    small, large = min(seen), run.sizes.pages_at
    figures = []
    for what, slow in seen[large].items():
        goal = 1.2 if what.startswith("Admin") else None
        times = ", ".join(f"{at[what]:.1f} ms at {size:,}" for size, at in seen.items() if what in at)
        figures.append(
            Figure(f"{what}: {large:,} ÷ {small:,}", slow / seen[small][what], "×", at_most=goal, note=times)
        )
    return figures


def _admin_pages(system: System, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    key = system.secrets.admin_secret_key
    deep = max(1, int(size * (1 - _DEEP)))
    position = [format_time(catalogue.moment(deep)), deep]
    by_time = _cursor(key, "-updated_at", position)
    sku = system.ask("SELECT sku FROM products WHERE id = :id", id=deep)
    title = system.ask("SELECT title FROM products WHERE id = :id", id=deep)
    yield "list, first", {}
    yield "list, deep", {"cursor": by_time}
    yield "list by sku, deep", {"sort": "sku", "cursor": _cursor(key, "sku", [sku, deep])}
    yield "list by title, deep", {"sort": "title", "cursor": _cursor(key, "title", [title, deep])}
    yield "category, deep", {"category": "Category 7", "cursor": by_time}
    yield "search of a common word, first", {"q": "red"}
    yield "search of a common word, deep", {"q": "red", "cursor": by_time}
    yield "search of a rare word", {"q": f"no{deep}"}
    yield "search of a rare and a common word", {"q": f"red no{deep // 10 * 10}"}


def _client_pages(system: System, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    deep = max(1, int(size * (1 - _DEEP)))
    position = [format_time(catalogue.moment(deep)), deep]
    yield "list, first", {}
    yield "list, deep", {"cursor": _cursor(system.secrets.client_secret_key, "-created_at", position)}
    yield "search of a rare word", {"q": f"no{deep}"}


def _cursor(key: str, sort: str, position: list[Any]) -> str:
    """Return the cursor that the service would have given at ``position``, without walking there."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = key
    with app.app_context():
        return cursors.encode(sort, position)


def _median(connection: Connection, query: dict[str, Any], times: int) -> float:
    seconds = []
    for _ in range(times + 1):
        began = time.monotonic()
        status, _, body = connection.send("GET", f"{_PATH}?{urlencode(query)}")
        seconds.append(time.monotonic() - began)
        if status != 200:
            raise BenchError(f"a page was answered {status}: {body[:200]!r}")
        if sum(seconds) > 5:  # slow enough to be seen by fewer
            break
    return percentile(seconds[1:] or seconds, 0.5) * 1000
