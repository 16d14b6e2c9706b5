"""Admin's migrations on SQLite: up, down and up again; they make the tables that the models describe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import inspect, select

from admin.db import schema
from admin.db.extensions import db
from admin.outbox.models import SyncState
from lockstep.main import cli as lockstep_cli
from tests.unit.admin.catalogue import admin_on, dispose, set_environment


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Flask]:
    """Admin, in its context, on a database without tables."""
    app = admin_on(tmp_path / "empty.db")
    with app.app_context():
        yield app
    dispose(app)


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version", "sqlite_sequence"}


def definitions() -> list[tuple[str, ...]]:
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2")
        return [tuple(map(str, row)) for row in rows]


@pytest.mark.usefixtures("empty")
def test_migrations_make_the_tables_that_the_models_describe() -> None:
    schema.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, db.metadata) == []


def test_service_is_ready_only_once_it_is_migrated(empty: Flask) -> None:
    client = empty.test_client()
    assert client.get("/livez").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]) == (503, {"database": "unavailable"})
    schema.upgrade()
    assert client.get("/readyz").get_json() == {"status": "ok", "checks": {"database": "ok"}}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the command line, for the database of ``empty``."""
    set_environment(monkeypatch, f"sqlite:///{tmp_path / 'empty.db'}")


@pytest.mark.usefixtures("empty", "settings")
def test_command_migrates_up_down_and_up_again_and_changes_nothing_the_second_time() -> None:
    def migrated(*args: str) -> list[tuple[str, ...]]:
        result = CliRunner().invoke(lockstep_cli, ["migrate", "admin", *args])
        assert result.exit_code == 0, result.output
        return definitions()

    first = migrated()
    assert tables() == set(db.metadata.tables)
    assert migrated() == first
    migrated("--revision", "base")
    assert tables() == set()
    assert migrated() == first
    with db.engine.connect() as connection:
        assert connection.execute(select(SyncState.id, SyncState.epoch)).all() == [(1, 0)]


@pytest.mark.usefixtures("empty", "settings")
def test_command_refuses_an_unknown_revision() -> None:
    result = CliRunner().invoke(lockstep_cli, ["migrate", "admin", "--revision", "nonsense"])
    assert result.exit_code == 1
    assert "Can't locate revision identified by 'nonsense'. Nothing was migrated." in result.output
    assert tables() == set()


Columns = dict[str, dict[str, Any]]


def columns() -> Columns:
    """Return every table's columns by name."""
    found = inspect(db.engine)
    return {table: {column["name"]: column for column in found.get_columns(table)} for table in tables()}


def incompatible(before: Columns, after: Columns) -> set[str]:
    """Return the columns of ``after`` with which processes of the previous release, which know ``before``, fail:
    columns that went or changed, and new ones that an INSERT cannot leave out.
    """
    failing = set()
    for table, known in before.items():
        now = after.get(table, {})
        failing |= {f"{table}.{name}" for name in known.keys() - now.keys()}
        for name, column in now.items():
            optional = column["nullable"] or column["default"] is not None
            if name not in known:
                compatible = optional
            else:
                same_type = str(column["type"]) == str(known[name]["type"])
                compatible = same_type and (column["nullable"] or not known[name]["nullable"])
            if not compatible:
                failing.add(f"{table}.{name}")
    return failing


@pytest.mark.usefixtures("empty")
def test_processes_of_the_previous_release_work_on_the_tables_of_each_migration() -> None:
    scripts = ScriptDirectory.from_config(schema.config()).walk_revisions()
    before: Columns = {}
    for revision in reversed([script.revision for script in scripts]):
        schema.upgrade(revision)
        after = columns()
        assert incompatible(before, after) == set(), revision
        before = after


@pytest.mark.usefixtures("empty")
def test_a_migration_that_fails_the_previous_release_is_found() -> None:
    schema.upgrade()
    before = columns()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sync_state RENAME COLUMN epoch TO era")
        connection.exec_driver_sql("ALTER TABLE sync_state ADD COLUMN optional INTEGER NOT NULL DEFAULT 0")
        connection.exec_driver_sql("DROP TABLE import_progress")
    failing = {"sync_state.epoch", "sync_state.era", "import_progress.file", "import_progress.rows_done"}
    assert incompatible(before, columns()) == failing
