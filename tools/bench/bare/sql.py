"""Writes to MariaDB or MySQL by pymysql alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import Engine

from contract.messages import ProductChanged

TABLE = "bare_products"
BATCH = 500
COLUMNS = "id, sku, live_sku, title, description, price, currency, category, image_url, created_at, updated_at, version"
_INSERT = f"INSERT INTO {TABLE} ({COLUMNS}) VALUES ({', '.join(['%s'] * 12)})"  # noqa: S608


@contextmanager
def connection(engine: Engine) -> Iterator[Any]:
    """Yield a connection to the database of ``engine``, with an empty table like the catalogue's."""
    url = engine.url
    opened = pymysql.connect(
        host=url.host, port=url.port or 3306, user=url.username, password=str(url.password), database=url.database
    )
    with opened, opened.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"CREATE TABLE {TABLE} LIKE products")
        opened.commit()
        yield opened


def row(message: ProductChanged) -> tuple[Any, ...]:
    """Return the catalogue's row of a product."""
    product = message.product
    assert product is not None  # noqa: S101 - the benchmark deletes nothing
    times = product.created_at[:-1], product.updated_at[:-1]
    texts = product.title, product.description, product.price, product.currency, product.category, product.image_url
    return message.id, product.sku, product.sku, *texts, *times, 1


def insert(opened: Any, message: ProductChanged) -> None:
    """Insert and commit one product."""
    with opened.cursor() as cursor:
        cursor.execute(_INSERT, row(message))
    opened.commit()


def bulk_rate(opened: Any, messages: list[ProductChanged]) -> float:
    """Insert ``messages`` in multi-row statements, committed one by one; return rows per second."""
    began = time.monotonic()
    with opened.cursor() as cursor:
        for start in range(0, len(messages), BATCH):
            cursor.executemany(_INSERT, [row(message) for message in messages[start : start + BATCH]])
            opened.commit()
    return len(messages) / (time.monotonic() - began)
