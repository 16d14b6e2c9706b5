"""Upserts of many rows, of which each is compiled once and reaches MySQL and MariaDB as one statement."""

from functools import cache
from typing import Any

from sqlalchemy import Executable, Table, func, text
from sqlalchemy.dialects import sqlite

from admin.db.engine import table
from admin.db.extensions import db

# Not SQLAlchemy's: for MySQL 8 it names the new row, and PyMySQL then sends one statement for each row.
_MYSQL = "INSERT INTO {} ({}) VALUES ({}) ON DUPLICATE KEY UPDATE {}"


def upsert_each(model: type[Any], columns: tuple[str, ...], kept: tuple[str, ...] = ()) -> Executable:
    """Return an INSERT of ``columns``, to be executed with a list of rows, that updates those whose primary key exists.

    The update leaves the columns ``kept`` as they are where they have a value. Lock existing rows before. A row with
    another unique key that is taken raises IntegrityError.
    """
    return _statement(table(model), columns, kept, db.engine.dialect.name == "sqlite")


@cache
def _statement(into: Table, columns: tuple[str, ...], kept: tuple[str, ...], on_sqlite: bool) -> Executable:
    keys = [column.name for column in into.primary_key]
    changing = [name for name in columns if name not in keys]
    if on_sqlite:
        insert = sqlite.insert(into)
        given = insert.excluded
        kept_or_given = {name: func.coalesce(into.c[name], given[name]) for name in kept}
        return insert.on_conflict_do_update(keys, set_={name: given[name] for name in changing} | kept_or_given)
    new, kept_or_new = "{0} = VALUES({0})", "{0} = COALESCE({0}, VALUES({0}))"
    changes = [(kept_or_new if name in kept else new).format(name) for name in changing]
    values = [f":{name}" for name in columns]
    return text(_MYSQL.format(into.name, *map(", ".join, (columns, values, changes))))
