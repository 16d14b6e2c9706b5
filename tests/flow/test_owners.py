"""Owners on MariaDB and on SQLite: whoever is shut out at the same moment, one is left."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import delete, select

from admin.accounts import roster
from admin.accounts.models import EDITOR, OWNER, Staff
from admin.db.engine import utc_now
from admin.db.extensions import db
from tests.flow.stores import admin_on, sqlite_url, unique_name
from tools.stack.servers.mariadb import MariaDB

OWNERS, ROUNDS = 4, 10


@pytest.mark.parametrize("database", ["mariadb", "sqlite"])
def test_owners_who_remove_and_demote_each_other_at_once_leave_one(
    database: str, mariadb: MariaDB, tmp_path: Path
) -> None:
    url = mariadb.create_database(unique_name()) if database == "mariadb" else sqlite_url(tmp_path)
    with admin_on(url) as app, ThreadPoolExecutor(OWNERS) as people:
        for _ in range(ROUNDS):
            outcomes = list(people.map(shut_out, [app] * OWNERS, make_owners(), [Barrier(OWNERS)] * OWNERS))
            assert outcomes.count("the last one stays") == 1
            assert len(db.session.execute(select(Staff.id).where(Staff.role == OWNER)).all()) == 1


def make_owners() -> Iterator[tuple[int, bool]]:
    """Begin anew; return whom to shut out, and whether by removal."""
    db.session.execute(delete(Staff))
    owners = [
        Staff(email=f"{number}@example.com", password_hash="", role=OWNER, created_at=utc_now())
        for number in range(OWNERS)
    ]
    db.session.add_all(owners)
    db.session.commit()
    return iter([(owner.id, owner.id % 2 == 0) for owner in owners])


def shut_out(app: Flask, whom: tuple[int, bool], start: Barrier) -> str:
    staff_id, removed = whom
    with app.app_context():
        start.wait(10)
        try:
            roster.remove(staff_id, "tester") if removed else roster.change(staff_id, "tester", role=EDITOR)
        except roster.LastOwnerError:
            return "the last one stays"
        return "shut out"
