"""Insert products into MariaDB or MySQL by PyMySQL alone."""

import threading
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql  # type: ignore[import-untyped]  # it ships no types

FIELDS = ("sku", "title", "description", "price", "currency", "category", "image_url")
_TABLE = """CREATE TABLE IF NOT EXISTS bare_products (
  id BIGINT AUTO_INCREMENT PRIMARY KEY, sku VARCHAR(64) NOT NULL UNIQUE, title VARCHAR(200) NOT NULL,
  description TEXT NOT NULL, price DECIMAL(12, 2) NOT NULL, currency CHAR(3) NOT NULL, category VARCHAR(80) NOT NULL,
  image_url VARCHAR(2000) NOT NULL, updated_at DATETIME(6) NOT NULL DEFAULT NOW(6), KEY (category, id), KEY (updated_at)
)"""
_INSERT = f"INSERT INTO bare_products ({', '.join(FIELDS)}) VALUES ({', '.join(['%s'] * len(FIELDS))})"  # noqa: S608


class Products:
    """The table at ``url``, created where it is missing, with one connection for each thread."""

    def __init__(self, url: str) -> None:
        self._url, self._mine = urlsplit(url), threading.local()
        with self._opened().cursor() as cursor:
            cursor.execute(_TABLE)

    def insert(self, product: dict[str, Any]) -> int:
        """Insert and commit one product; return its id."""
        opened = self._opened()
        with opened.cursor() as cursor:
            cursor.execute(_INSERT, [product[name] for name in FIELDS])
            opened.commit()
            return int(cursor.lastrowid)

    def _opened(self) -> Any:
        if not hasattr(self._mine, "opened"):
            url = self._url
            self._mine.opened = pymysql.connect(
                host=url.hostname, port=url.port or 3306, database=url.path[1:],
                user=unquote(url.username or ""), password=unquote(url.password or ""),
            )  # fmt: skip
        return self._mine.opened
