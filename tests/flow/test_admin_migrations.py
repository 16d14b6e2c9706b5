"""Alembic's migrations on MariaDB: up, down, up again, and nothing that the models have and the tables lack."""

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from admin.extensions import db
from stack.servers.mariadb import MariaDB
from tests.flow.stores import admin_on, unique_name


@pytest.fixture
def url(mariadb: MariaDB) -> str:
    return mariadb.create_database(unique_name())


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_migrations_run_up_down_and_up_again(url: str) -> None:
    with admin_on(url):
        migrated = tables()
        flask_migrate.downgrade(revision="base")
        assert tables() == set()
        flask_migrate.upgrade()
        assert tables() == migrated == set(db.metadata.tables)


def test_migrated_tables_are_what_the_models_say(url: str) -> None:
    with admin_on(url), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_migrating_twice_changes_nothing(url: str) -> None:
    with admin_on(url):
        before = tables()
        flask_migrate.upgrade()
        assert tables() == before


def test_case_and_accents_tell_skus_and_shoppers_apart(url: str) -> None:
    """As they do on SQLite and at the Client; MySQL's default collation would take them for one."""
    with admin_on(url):
        for table in ("products", "product_likes"):
            found = db.session.execute(db.text(f"SHOW CREATE TABLE {table}")).one()
            assert "utf8mb4_bin" in found[1]
