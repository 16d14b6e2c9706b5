"""The doctor compares the version of Admin's database with that of the code."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from admin.config import AdminSettings
from lockstep.doctor.admin_checks import database
from tests.unit.admin.catalogue import KEYS, SECRET


@pytest.mark.parametrize(
    ("revision", "what", "fix"),
    [
        (None, "at nothing, this version needs", "lockstep migrate admin"),
        ("9999", "is at 9999, which this version does not know", "Install the version that migrated it"),
    ],
)
def test_database_of_another_version_is_named_with_its_fix(
    tmp_path: Path, revision: str | None, what: str, fix: str
) -> None:
    if revision:
        with closing(sqlite3.connect(tmp_path / "admin.db")) as connection, connection:
            connection.execute("CREATE TABLE alembic_version (version_num)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])
    settings = AdminSettings(
        admin_database_url=SecretStr(f"sqlite:///{tmp_path / 'admin.db'}"),
        admin_secret_key=SECRET,
        admin_client_url="http://127.0.0.1:1",
        service_keys=KEYS,
    )
    [finding] = [finding for finding in database(settings) if finding.state != "ok"]
    assert finding.check == "admin migrations"
    assert what in finding.what
    assert finding.fix.startswith(fix)
