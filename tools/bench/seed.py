"""Write products directly into the stores: millions in minutes. ``python -m tools.bench.seed`` fills the
Client's store, so that both are filled at once; its URL and range come as arguments.
"""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pymongo
from sqlalchemy import Engine

from admin.catalogue import search_terms
from contract.messages import ProductChanged
from tools.bench import catalogue
from tools.bench.bare import mongo, sql
from tools.bench.errors import BenchError
from tools.bench.system import System
from tools.stack.product import ROOT

_CHUNK = 2_000
_PRODUCT = (
    "id, sku, live_sku, title, description, price, currency, category, image_url, created_at, updated_at, version"
)
_REPLICATION = "product_id, sequence, checksum, verified_sequence, lane, attempts, state, pending_since, due_at"
_CHANGE = "product_id, sequence, kind, author, changed_at, applied_at, verified_at"


def both(system: System, first: int, last: int) -> None:
    """Write products ``first`` to ``last`` into both stores, as verified."""
    command = [sys.executable, "-m", "tools.bench.seed", system.addresses.mongodb_url, str(first), str(last)]
    client = subprocess.Popen(command, cwd=ROOT)
    try:
        admin(system.engine, first, last, verified=True)
        if client.wait():
            raise BenchError("the Client's store could not be filled")
    finally:
        client.kill()
        client.wait()


def admin(engine: Engine, first: int, last: int, verified: bool) -> None:
    """Insert the products with their words, replication rows and change log; pending ones are due."""
    opened: Any = engine.raw_connection()
    try:
        with opened.cursor() as cursor:
            for chunk in _chunks(first, last):
                _insert(cursor, "products", sql.COLUMNS, [sql.row(message) for message in chunk])
                _insert(cursor, "replication", _REPLICATION, [_replication(message, verified) for message in chunk])
                _insert(cursor, "product_changes", _CHANGE, [_change(message, verified) for message in chunk])
                _insert(cursor, "product_search_terms", "product_id, term", [row for m in chunk for row in _words(m)])
                opened.commit()
            cursor.execute("ANALYZE TABLE products, replication, product_changes, product_search_terms")
    finally:
        opened.close()


def client(url: str, first: int, last: int) -> None:
    """Insert the products' documents."""
    now = datetime.now(UTC)
    with pymongo.MongoClient[dict[str, Any]](url, w="majority", journal=True) as store:
        products = store.get_default_database()["products"]
        for chunk in _chunks(first, last):
            products.insert_many([{"_id": m.id, "applied_at": now, **mongo.document(m)} for m in chunk], ordered=False)


def _chunks(first: int, last: int) -> Iterator[list[ProductChanged]]:
    messages = catalogue.messages(first, last)
    while chunk := list(islice(messages, _CHUNK)):
        yield chunk


def _insert(cursor: Any, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    values = ", ".join(["%s"] * len(rows[0]))
    cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)  # noqa: S608


def _replication(message: ProductChanged, verified: bool) -> tuple[Any, ...]:
    at = catalogue.moment(message.id)
    mark = ("verified", None, None) if verified else ("fresh", at, at)
    return message.id, message.sequence, message.checksum, message.sequence if verified else 0, "interactive", 0, *mark


def _change(message: ProductChanged, verified: bool) -> tuple[Any, ...]:
    at = catalogue.moment(message.id)
    return message.id, message.sequence, "created", "bench", at, *((at, at) if verified else (None, None))


def _words(message: ProductChanged) -> list[tuple[int, str]]:
    assert message.product is not None  # noqa: S101 - the benchmark deletes nothing
    return [(message.id, word) for word in search_terms.of(message.product.title, message.product.sku)]


if __name__ == "__main__":
    client(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
