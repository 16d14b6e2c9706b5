"""The time of the shop's pages with a real catalogue, and during an import."""

import time
from collections import defaultdict
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Flask
from pymongo import UpdateOne

from client.replica.queries import NEWEST
from tools.bench.errors import BenchError
from tools.bench.figures import Figure, percentile
from tools.bench.load import Connection
from tools.bench.run import Run
from web.http import cursors

TITLE = "The shop's pages"
_DEEP = 0.8  # of the catalogue lies before the page
_LIKED = 25  # one in so many products has likes
_APART = 1.1  # seconds between two requests of a page, so that it is none of the shop's copies of a second
_ENOUGH = 120.0  # seconds: where pages are slow, a few requests of each show it
_MOST_LIKED = "most liked"
_Pages = dict[str, tuple[str, str]]  # by name: the path, and what the page must contain


def measure(run: Run) -> list[Figure]:
    """Request each page in turn: first while nothing else happens, then while products are imported."""
    assert run.caught_up  # noqa: S101 - fills the catalogue
    ids = run.system.product_ids()
    liked = ids[::_LIKED]
    _like(run, liked)
    pages = _pages(run, ids[int(len(ids) * (1 - _DEEP))], liked[0])
    quiet = _times(run, pages, lambda: True)
    importer = run.start_import("S", run.sizes.more)
    busy = _times(run, pages, lambda: importer.poll() is None or not run.system.imports_settled())
    run.finish_import(importer)
    p50 = {what: percentile(times, 0.5) for what, times in quiet.items()}
    slower = {what: percentile(busy[what], 0.5) / before for what, before in p50.items()}
    most_liked = p50.pop(_MOST_LIKED)
    about = f"during an import of {run.sizes.more:,} ÷ before, largest"
    return [
        Figure(f"p50 at {len(ids):,} products, slowest of:", max(p50.values()), "ms", at_most=150, parts=p50),
        Figure("p50 of most liked", most_liked, "ms", at_most=500),
        Figure(about, max(slower.values()), "×", at_most=3.0, parts=slower),
    ]


def _like(run: Run, liked: list[int]) -> None:
    """Give likes to these products, the first of them the most, and few of them many."""
    counts = [1 + len(liked) // (place + 1) for place in range(len(liked))]
    run.system.shop["products"].bulk_write(
        [UpdateOne({"_id": id_}, {"$set": {"likes": likes}}) for id_, likes in zip(liked, counts, strict=True)],
        ordered=False,
    )


def _pages(run: Run, deep_id: int, most_liked: int) -> _Pages:
    products = run.system.shop["products"]
    deep = products.find_one({"_id": deep_id}) or {}
    after = products.find_one({"deleted": False, "_id": {"$lt": deep_id}}, {"_id": 1}, sort=[("_id", -1)]) or {}
    rare = deep["title"].split()[-1]
    return {
        "home": ("/", "/products/"),
        "deep page": (f"/?{urlencode({'cursor': _cursor(run, deep_id)})}", f"/products/{after['_id']}"),
        "category": (f"/?{urlencode({'category': deep['category']})}", deep["category"]),
        "search of a rare word": (f"/?q={rare}", rare),
        "search of a common word": (f"/?q={deep['title'].split()[0]}", deep["title"].split()[0]),
        "product": (f"/products/{deep_id}", rare),
        _MOST_LIKED: ("/?sort=-likes", f"/products/{most_liked}"),
    }


def _cursor(run: Run, product_id: int) -> str:
    """Return the shop's cursor for the position of a product, without reading the pages before."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = run.system.secrets.client_secret_key
    with app.app_context():
        return cursors.encode(NEWEST, [product_id])


def _times(run: Run, pages: _Pages, go_on: Callable[[], bool]) -> dict[str, list[float]]:
    """Return the milliseconds of each request, made in turn as often as the run's size says, while ``go_on``."""
    connection = Connection(run.system.addresses.client_port)
    times: dict[str, list[float]] = defaultdict(list)
    end = time.monotonic() + _ENOUGH
    for _ in range(run.sizes.pages):
        began = time.monotonic()
        for what, (path, expected) in pages.items():
            times[what].append(1000 * _get(connection, what, path, expected))
        time.sleep(max(0.0, began + _APART - time.monotonic()))
        if time.monotonic() > end or not go_on():
            break
    return times


def _get(connection: Connection, what: str, path: str, expected: str) -> float:
    """Return the seconds of one page. Raises BenchError where it is not the page that was meant."""
    began = time.monotonic()
    status, _, body = connection.send("GET", path)
    took = time.monotonic() - began
    if status != HTTPStatus.OK or expected.encode() not in body:
        raise BenchError(f"the page '{what}' was answered {status}, with '{expected}' missing: {body[:200]!r}")
    return took
