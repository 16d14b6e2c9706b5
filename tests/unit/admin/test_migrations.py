"""Admin's schema on SQLite: up, down and up again, and what the models say is what the migrations make."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import inspect, select

from admin.db.extensions import db
from admin.outbox.models import SyncState
from lockstep.main import cli as lockstep_cli
from tests.unit.admin.catalogue import KEYS, SECRET, admin_on, dispose
from tools.stack.product import ROOT


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Flask]:
    """Admin, in its context, on a database that holds nothing yet."""
    app = admin_on(tmp_path / "empty.db")
    with app.app_context():
        yield app
    dispose(app)


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version", "sqlite_sequence"}


def schema() -> list[tuple[str, ...]]:
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2")
        return [tuple(map(str, row)) for row in rows]


@pytest.mark.usefixtures("empty")
def test_database_goes_up_down_and_up_again() -> None:
    flask_migrate.upgrade()
    first = schema()
    assert tables() == set(db.metadata.tables)
    flask_migrate.downgrade(revision="base")
    assert tables() == set()
    flask_migrate.upgrade()
    assert schema() == first
    with db.engine.connect() as connection:
        assert connection.execute(select(SyncState.id, SyncState.epoch)).all() == [(1, 0)]


@pytest.mark.usefixtures("empty")
def test_upgrade_of_an_up_to_date_database_changes_nothing() -> None:
    flask_migrate.upgrade()
    first = schema()
    flask_migrate.upgrade()
    assert schema() == first


@pytest.mark.usefixtures("empty")
def test_models_are_what_the_migrations_make() -> None:
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, db.metadata) == []


def test_service_is_ready_only_once_it_is_migrated(empty: Flask) -> None:
    client = empty.test_client()
    assert client.get("/livez").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]) == (503, {"database": "unavailable"})
    flask_migrate.upgrade()
    assert client.get("/readyz").get_json() == {"status": "ok", "checks": {"database": "ok"}}


@pytest.mark.usefixtures("empty")
def test_command_migrates_up_and_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    monkeypatch.setenv("ADMIN_SECRET_KEY", SECRET)
    monkeypatch.setenv("ADMIN_CLIENT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SERVICE_KEYS", KEYS)
    for args, expected in (
        ((), set(db.metadata.tables)),
        (("--revision", "base"), set()),
        ((), set(db.metadata.tables)),
    ):
        result = CliRunner().invoke(lockstep_cli, ["migrate", "admin", *args])
        assert result.exit_code == 0, result.output
        assert tables() == expected


def columns() -> dict[str, dict[str, Any]]:
    """Return every table's columns by name."""
    found = inspect(db.engine)
    return {table: {column["name"]: column for column in found.get_columns(table)} for table in tables()}


@pytest.mark.usefixtures("empty")
def test_every_migration_leaves_the_release_before_what_it_reads_and_writes() -> None:
    """Its processes run on while the new ones start: nothing goes, and what is new can be left out of an INSERT."""
    scripts = ScriptDirectory(str(ROOT / "admin" / "db" / "migrations")).walk_revisions()
    first, *later = [script.revision for script in reversed(list(scripts))]
    flask_migrate.upgrade(revision=first)
    for revision in later:
        before = columns()
        flask_migrate.upgrade(revision=revision)
        after = columns()
        for table, known in before.items():
            assert known.keys() <= after[table].keys(), (revision, table)
            for name, column in after[table].items():
                if name in known:
                    same = (str(column["type"]), column["nullable"] or not known[name]["nullable"])
                    assert same == (str(known[name]["type"]), True), (revision, table, name)
                else:
                    assert column["nullable"] or column["default"] is not None, (revision, table, name)
