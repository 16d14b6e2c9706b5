"""Write products directly into Admin's tables: thousands in a second, of any state."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from admin.catalogue import search_terms
from contract.messages import ProductChanged, ProductContent, format_time
from contract.versions import compose
from tools.bench import catalogue

_CHUNK = 2_000
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_PRODUCT = (
    "id, sku, live_sku, title, description, price, currency, category, image_url, created_at, updated_at, version"
)
_REPLICATION = "product_id, sequence, checksum, verified_sequence, lane, attempts, state, pending_since, due_at"
_CHANGE = "product_id, sequence, kind, author, changed_at, applied_at, verified_at"


def admin(engine: Engine, first: int, last: int, verified: bool) -> None:
    """Insert the products with their words, replication rows and change log; pending ones are due."""
    opened: Any = engine.raw_connection()
    try:
        with opened.cursor() as cursor:
            for chunk in _chunks(first, last):
                _insert(cursor, "products", _PRODUCT, [_product(message) for message in chunk])
                _insert(cursor, "replication", _REPLICATION, [_replication(message, verified) for message in chunk])
                _insert(cursor, "product_changes", _CHANGE, [_change(message, verified) for message in chunk])
                _insert(cursor, "product_search_terms", "product_id, term", [row for m in chunk for row in _words(m)])
                opened.commit()
            cursor.execute("ANALYZE TABLE products, replication, product_changes, product_search_terms")
    finally:
        opened.close()


def _chunks(first: int, last: int) -> Iterator[list[ProductChanged]]:
    messages = (_message(number) for number in range(first, last + 1))
    while chunk := list(islice(messages, _CHUNK)):
        yield chunk


def _message(number: int) -> ProductChanged:
    """Return product ``number``'s first state as Admin would send it; its id is its number."""
    at = format_time(_moment(number))
    content = ProductContent(**catalogue.content(number), created_at=at, updated_at=at)
    return ProductChanged(number, compose(0, 1), content)


def _moment(number: int) -> datetime:
    """Return the time of the last change of product ``number``, ascending, naive UTC."""
    return (_BEGAN + timedelta(milliseconds=20 * number)).replace(tzinfo=None)


def _insert(cursor: Any, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    values = ", ".join(["%s"] * len(rows[0]))
    cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)


def _product(message: ProductChanged) -> tuple[Any, ...]:
    product = message.product
    assert product is not None
    times = product.created_at[:-1], product.updated_at[:-1]
    texts = product.title, product.description, product.price, product.currency, product.category, product.image_url
    return message.id, product.sku, product.sku, *texts, *times, 1


def _replication(message: ProductChanged, verified: bool) -> tuple[Any, ...]:
    at = _moment(message.id)
    mark = ("verified", None, None) if verified else ("fresh", at, at)
    return message.id, message.sequence, message.checksum, message.sequence if verified else 0, "interactive", 0, *mark


def _change(message: ProductChanged, verified: bool) -> tuple[Any, ...]:
    at = _moment(message.id)
    return message.id, message.sequence, "created", "bench", at, *((at, at) if verified else (None, None))


def _words(message: ProductChanged) -> list[tuple[int, str]]:
    assert message.product is not None
    return [(message.id, word) for word in search_terms.of(message.product.title, message.product.sku)]
