"""Writes many rows of a table with one statement and one parameter.

MySQL and MariaDB get the rows as JSON: PyMySQL spends more time on escaping their values one by one than it takes to
validate them, and the statement's text stays the same, so SQLAlchemy compiles it once (decision 47).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Executable, Integer, Table, TextClause, func, insert, text
from sqlalchemy.dialects import sqlite

from admin.db.engine import table
from admin.db.extensions import db
from admin.db.json_text import JsonText

Row = Sequence[Any]
NONE: Mapping[str, Any] = MappingProxyType({})
MAX_CHARACTERS = 2_000_000  # of JSON in one statement: MariaDB accepts 16 MB, and a character may have four bytes
_ROWS = "FROM JSON_TABLE(:rows, '$[*]' COLUMNS ({})) AS given"


def insert_rows(model: type[Any], names: tuple[str, ...], rows: Sequence[Row], same: Mapping[str, Any] = NONE) -> None:
    """Insert ``rows``, which have the columns ``names``, and all the values ``same``."""
    _write(table(model), names, rows, same, None)


def upsert_rows(
    model: type[Any],
    names: tuple[str, ...],
    rows: Sequence[Row],
    same: Mapping[str, Any] = NONE,
    kept: tuple[str, ...] = (),
) -> None:
    """Insert ``rows`` as ``insert_rows`` does, and update those whose primary key exists; lock these before.

    The update leaves the columns ``kept`` as they are where they have a value. Raises IntegrityError where another
    unique key is taken.
    """
    _write(table(model), names, rows, same, kept)


def _write(
    into: Table, names: tuple[str, ...], rows: Sequence[Row], same: Mapping[str, Any], kept: tuple[str, ...] | None
) -> None:
    """Insert, or upsert where ``kept`` is not None."""
    connection = db.session.connection()
    if db.engine.dialect.name == "sqlite":
        given = [{**dict(zip(names, row, strict=True)), **same} for row in rows]
        connection.execute(_sqlite(into, (*names, *same), kept), given)
    elif len(rows) == 1:
        statement = _mysql(into, names, tuple(same), kept, one=True)
        connection.execute(statement, {**dict(zip(names, rows[0], strict=True)), **same})
    else:
        statement = _mysql(into, names, tuple(same), kept, one=False)
        for part in _as_json(rows):
            connection.execute(statement, {"rows": part, **same})


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
def _mysql(
    into: Table, names: tuple[str, ...], same: tuple[str, ...], kept: tuple[str, ...] | None, *, one: bool
) -> TextClause:
    every, parameters = ", ".join((*names, *same)), ", ".join(f":{name}" for name in ((*names, *same) if one else same))
    words = ["INSERT INTO", into.name, f"({every})"]
    if one:
        words += [f"VALUES ({parameters})"]
    else:
        columns = (f"{name} {_type(into, name)} PATH '$[{at}]'" for at, name in enumerate(names))
        selected = ", ".join(filter(None, (*(f"given.{name}" for name in names), parameters)))
        words += ["SELECT", selected, _ROWS.format(", ".join(columns))]
    if kept is not None:
        new, kept_or_new = "{0} = VALUES({0})", "{0} = COALESCE(" + into.name + ".{0}, VALUES({0}))"
        changes = [(kept_or_new if name in kept else new).format(name) for name in (*names, *same)]
        words += ["ON DUPLICATE KEY UPDATE", ", ".join(changes)]
    return text(" ".join(words))


def _type(into: Table, name: str) -> str:
    """Return the type that a column of the JSON has: wide, as MariaDB cuts off what does not fit there.

    The column of the table refuses what does not fit it.
    """
    return "BIGINT" if isinstance(into.c[name].type, Integer) else "MEDIUMTEXT"
