"""Admin's migrations on MariaDB: up, down, up again, without blocking writers; they make the models' tables."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from admin.db import schema, schema_changes
from admin.db.extensions import db
from tests.flow.stores import admin_on, unique_name
from tools.stack.servers.mariadb import MariaDB


@pytest.fixture
def url(mariadb: MariaDB) -> str:
    return mariadb.create_database(unique_name())


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_migrations_run_up_down_and_up_again_and_make_the_tables_that_the_models_describe(url: str) -> None:
    with admin_on(url):
        schema.downgrade()
        assert tables() == set()
        for _ in range(2):  # the second time changes nothing
            schema.upgrade()
            with db.engine.connect() as connection:
                context = MigrationContext.configure(connection, opts={"compare_type": True})
                assert compare_metadata(context, db.metadata) == []


def test_skus_and_shoppers_differ_by_case_and_accents(url: str) -> None:
    """As on SQLite and at the Client; in MySQL's default collation they are equal."""
    with admin_on(url):
        for table in ("products", "product_likes"):
            found = db.session.execute(db.text(f"SHOW CREATE TABLE {table}")).one()
            assert "utf8mb4_bin" in found[1]


# --- beside writers -------------------------------------------------------------------------------------------

ROWS = 20_000
_PRODUCT = text(
    "INSERT INTO products (sku, live_sku, title, description, price, currency, category, image_url, created_at, "
    "updated_at, version) VALUES (:sku, :sku, 'Red mug', '', 1.00, 'EUR', 'Kitchen', '', '2026-11-01', '2026-11-01', 1)"
)
_CHANGED = "INSERT INTO product_changes (product_id, sequence, kind, author, changed_at) "
_CHANGE = text(f"{_CHANGED} VALUES (:id, 1, 'created', 'x', '2026-11-01')")
_ROW = text(
    "INSERT INTO replication (product_id, sequence, checksum, verified_sequence, pending_since, lane, state, attempts) "
    "VALUES (:id, 1, '', 0, '2026-11-01', 'bulk', 'fresh', 0)"
)


def write(connection: Connection, sku: str) -> None:
    """Create a product as Admin does."""
    product_id = connection.execute(_PRODUCT, {"sku": sku}).lastrowid
    connection.execute(_CHANGE, {"id": product_id})
    connection.execute(_ROW, {"id": product_id})
    connection.commit()


@dataclass
class Writer:
    """Creates products until the ``with`` block ends; ``took`` is the duration of each, in seconds."""

    url: str
    took: list[float] = field(default_factory=list)
    error: Exception | None = None

    @contextmanager
    def busy(self) -> Iterator[None]:
        done = threading.Event()
        thread = threading.Thread(target=self._write_until, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _write_until(self, done: threading.Event) -> None:
        engine = create_engine(self.url, isolation_level="READ COMMITTED")
        try:
            with engine.connect() as connection:
                while not done.is_set():
                    began = time.monotonic()
                    write(connection, f"new-{len(self.took)}")
                    self.took.append(time.monotonic() - began)
        except Exception as error:
            self.error = error
        engine.dispose()


@contextmanager
def open_transaction(url: str, seconds: float) -> Iterator[None]:
    """Read the products, as a report does, and end its transaction only after ``seconds``."""
    engine = create_engine(url)
    reader = engine.connect()
    assert reader.execute(text("SELECT COUNT(*) FROM products")).scalar_one() >= ROWS
    timer = threading.Timer(seconds, reader.rollback)
    timer.start()
    yield
    timer.join()
    reader.close()
    engine.dispose()


def test_changes_of_a_filled_table_block_no_writer_even_behind_a_long_transaction(url: str) -> None:
    with admin_on(url), db.engine.connect() as connection:
        skus = [{"sku": f"old-{number}"} for number in range(ROWS)]
        for start in range(0, ROWS, 1_000):
            connection.execute(_PRODUCT, skus[start : start + 1_000])
        connection.commit()
        writer = Writer(url)
        with writer.busy(), open_transaction(url, seconds=5), schema_changes.connection(url) as changing:
            changing.exec_driver_sql("ALTER TABLE products ADD COLUMN colour VARCHAR(20)")
            changing.exec_driver_sql("CREATE INDEX ix_products_colour ON products (colour, title)")
        assert writer.error is None
        assert len(writer.took) > 100
        assert max(writer.took) < schema_changes.LOCK_WAIT_SECONDS + 2, sorted(writer.took)[-5:]
        assert connection.execute(text("SELECT COUNT(*) FROM products")).scalar_one() == ROWS + len(writer.took)
        assert "ix_products_colour" in {index["name"] for index in inspect(connection).get_indexes("products")}
