"""Which statements a piece of code sends to the database, and how the database would run them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from admin.db.extensions import db


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with its parameters; ``many``: sent for several rows at once."""

    text: str
    parameters: Any
    many: bool = False

    @property
    def start(self) -> str:
        """Its verb and table, such as ``INSERT products``."""
        outside, inside = self.text, ""
        while outside != inside:  # remove parentheses with their content, the innermost first
            outside, inside = re.sub(r"\([^()]*\)", "", outside), outside
        words = outside.replace("\n", " ").split()
        after = {"INSERT": "INTO", "DELETE": "FROM", "SELECT": "FROM", "UPDATE": "UPDATE"}[words[0]]
        return f"{words[0]} {words[words.index(after) + 1]}" if after in words else words[0]


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Yield the list of what is sent from now on; commits and rollbacks are not in it."""
    seen: list[Statement] = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, many: bool) -> None:
        if "; " not in text:
            seen.append(Statement(text, parameters, many))
        for part in text.split("; ") if "; " in text else ():
            seen.append(Statement(part, None, many))  # of several in one command; their values are shared

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def starts(call: Callable[[], Any]) -> list[str]:
    """Return the verbs and tables of what ``call`` sends, in order."""
    with recorded() as seen:
        call()
    return [statement.start for statement in seen]


def rows_read(call: Callable[[], Any]) -> int:
    """Return how many rows and index entries MariaDB looked at for what ``call`` sends."""
    before = _handler_reads()
    call()
    return _handler_reads() - before


def _handler_reads() -> int:
    status = db.session.connection().exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'")
    return sum(int(value) for _name, value in status)


def plans(call: Callable[[], Any]) -> list[dict[str, Any]]:
    """Return every row of MariaDB's EXPLAIN for what ``call`` sends, each with its ``statement``."""
    with recorded() as seen:
        call()
    db.session.rollback()
    explained = [s for s in seen if (not s.many and "FROM" in s.text.upper()) or s.text.startswith("UPDATE")]
    connection = db.session.connection()
    return [
        {**row, "statement": statement.text}
        for statement in explained
        for row in connection.exec_driver_sql(f"EXPLAIN {statement.text}", statement.parameters).mappings()
    ]
