"""Writes rows of several tables in one command: one round trip, in which each statement has few parameters.

MySQL and MariaDB get many rows as JSON: PyMySQL spends more time on escaping their values one by one than it takes to
validate them, and the statement's text stays the same, so it is made once (decision 47). Decision 49 says why several
statements travel together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Executable, Integer, Table, bindparam, delete, func, insert
from sqlalchemy.dialects import sqlite

from admin.db.engine import SEVERAL, table
from admin.db.extensions import db
from admin.db.json_text import JsonText

Row = Sequence[Any]
NONE: Mapping[str, Any] = MappingProxyType({})
MAX_CHARACTERS = 2_000_000  # of JSON in one command: MariaDB accepts 16 MB, and a character may have four bytes
_ROWS = "FROM JSON_TABLE(%s, '$[*]' COLUMNS ({})) AS given"


@dataclass(frozen=True, slots=True)
class Write:
    """Rows of one table: ``rows`` have the columns ``names``, and all the values ``same``."""

    into: Table
    names: tuple[str, ...]
    rows: Sequence[Row]
    same: Mapping[str, Any]
    kept: tuple[str, ...] | None  # of an upsert; None for an insert

    def on_sqlite(self) -> tuple[Executable, list[dict[str, Any]]]:
        rows = [{**dict(zip(self.names, row, strict=True)), **self.same} for row in self.rows]
        return _sqlite(self.into, (*self.names, *self.same), self.kept), rows

    def on_mysql(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield statements with their values, several where the rows are long."""
        same = tuple(self.same)
        if len(self.rows) == 1:
            yield _of_one(self.into, (*self.names, *same), self.kept), [*self.rows[0], *self.same.values()]
            return
        statement = _of_many(self.into, self.names, same, self.kept)
        for part in _as_json(self.rows):
            yield statement, [*self.same.values(), part]


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes the rows of ``table`` that have one of ``ids`` in the first column of its primary key."""

    table: Table
    ids: Sequence[int]

    def on_sqlite(self) -> tuple[Executable, list[dict[str, Any]]]:
        key = self.table.primary_key.columns[0]
        return delete(self.table).where(key == bindparam("id")), [{"id": id_} for id_ in self.ids]

    def on_mysql(self) -> Iterator[tuple[str, list[Any]]]:
        key = self.table.primary_key.columns[0].name
        yield " ".join(("DELETE FROM", self.table.name, "WHERE", key, f"IN {_parameters(len(self.ids))}")), [*self.ids]


def insert_rows(model: type[Any], names: tuple[str, ...], rows: Sequence[Row], same: Mapping[str, Any] = NONE) -> Write:
    """Return the INSERT of ``rows``, at least one, which have the columns ``names``, and all the values ``same``."""
    return Write(table(model), names, rows, same, None)


def upsert_rows(
    model: type[Any],
    names: tuple[str, ...],
    rows: Sequence[Row],
    same: Mapping[str, Any] = NONE,
    kept: tuple[str, ...] = (),
) -> Write:
    """Return the INSERT of ``rows`` that updates those whose primary key exists; lock these before.

    The update leaves the columns ``kept`` as they are where they have a value. It raises IntegrityError where another
    unique key is taken.
    """
    return Write(table(model), names, rows, same, kept)


def delete_rows(model: type[Any], ids: Sequence[int]) -> Delete:
    """Return the DELETE of the rows that have one of ``ids``, at least one, first in their primary key."""
    return Delete(table(model), ids)


def execute(*writes: Write | Delete) -> None:
    """Execute ``writes`` in their order, in the session's transaction. Raises SQLAlchemy's errors."""
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        for write in writes:
            connection.execute(*write.on_sqlite())
        return
    for text, values in _commands(writes):
        connection.exec_driver_sql(text, values, execution_options={SEVERAL: True})


def _commands(writes: Sequence[Write | Delete]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the text and the values of each command: one, unless the values are long."""
    statements, values, size = list[str](), list[Any](), 0
    for write in writes:
        for statement, given in write.on_mysql():
            long = sum(len(value.text) for value in given if isinstance(value, JsonText))
            if statements and size + long > MAX_CHARACTERS:
                yield "; ".join(statements), tuple(values)
                statements, values, size = [], [], 0
            statements.append(statement)
            values.extend(given)
            size += long
    yield "; ".join(statements), tuple(values)


def _as_json(rows: Sequence[Row]) -> Iterator[JsonText]:
    """Yield ``rows`` as JSON, in several parts where it is long."""
    whole = JsonText.of(rows)
    if len(whole.text) <= MAX_CHARACTERS or len(rows) == 1:
        yield whole
    else:
        yield from _as_json(rows[: len(rows) // 2])
        yield from _as_json(rows[len(rows) // 2 :])


@cache
def _sqlite(into: Table, names: tuple[str, ...], kept: tuple[str, ...] | None) -> Executable:
    if kept is None:
        return insert(into)
    statement = sqlite.insert(into)
    new, keys = statement.excluded, list(into.primary_key.columns)
    values = {name: func.coalesce(into.c[name], new[name]) if name in kept else new[name] for name in names}
    return statement.on_conflict_do_update(keys, set_=values)


@cache
def _of_one(into: Table, names: tuple[str, ...], kept: tuple[str, ...] | None) -> str:
    return " ".join((*_into(into, names), f"VALUES {_parameters(len(names))}", *_update(into, names, kept)))


@cache
def _of_many(into: Table, names: tuple[str, ...], same: tuple[str, ...], kept: tuple[str, ...] | None) -> str:
    columns = ", ".join(f"{name} {_type(into, name)} PATH '$[{at}]'" for at, name in enumerate(names))
    selected = ", ".join((*(f"given.{name}" for name in names), *(["%s"] * len(same))))
    every = (*names, *same)
    return " ".join((*_into(into, every), "SELECT", selected, _ROWS.format(columns), *_update(into, every, kept)))


def _into(into: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    return "INSERT INTO", into.name, f"({', '.join(names)})"


def _parameters(number: int) -> str:
    return f"({', '.join(['%s'] * number)})"


def _update(into: Table, names: tuple[str, ...], kept: tuple[str, ...] | None) -> tuple[str, ...]:
    if kept is None:
        return ()
    new, kept_or_new = "{0} = VALUES({0})", "{0} = COALESCE(" + into.name + ".{0}, VALUES({0}))"
    changes = [(kept_or_new if name in kept else new).format(name) for name in names]
    return "ON DUPLICATE KEY UPDATE", ", ".join(changes)


def _type(into: Table, name: str) -> str:
    """Return the type that a column of the JSON has: wide, as MariaDB cuts off what does not fit there.

    The column of the table refuses what does not fit it.
    """
    return "BIGINT" if isinstance(into.c[name].type, Integer) else "MEDIUMTEXT"
