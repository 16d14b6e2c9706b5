"""Reading a catalogue file: CSV with a header, or NDJSON with one object per line, row by row."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, TextIO

import marshmallow as ma

from admin.products.models import CONTENT_FIELDS
from admin.products.schemas import ContentSchema
from web.csv_cells import plain

CSV, NDJSON = KINDS = ("csv", "ndjson")
NDJSON_SUFFIXES = {".ndjson", ".jsonl"}
REQUIRED = {name for name, field in ContentSchema().fields.items() if field.required}
# A column that a file leaves out keeps what a product has; only a new product gets the default.
DEFAULTS = {name: field.load_default for name, field in ContentSchema().fields.items() if not field.required}
_SCHEMA = ContentSchema(partial=tuple(DEFAULTS))
_HEADER_BYTES = 100_000  # no header is longer
_BAD_BYTE = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of one


class UnreadableFileError(Exception):
    """Nothing of the file can be imported; the text says what it should look like."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its line (from 1) and either validated content or what is wrong."""

    line: int
    content: dict[str, Any] | None
    error: str | None = None


def read(file: IO[bytes], kind: str) -> Iterator[Row]:
    """Yield the rows of ``file``, which is one of KINDS, and close it. Raises UnreadableFileError: a wrong header."""
    # Bytes that are not UTF-8 become surrogates, which are looked for in each row: one bad row, not a broken file.
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        yield from _ndjson_rows(text) if kind == NDJSON else _csv_rows(text)


def check_header(file: IO[bytes], kind: str) -> None:
    """Raise UnreadableFileError where ``read`` would; the file is left where it was."""
    file.seek(0)
    head = io.BytesIO(file.read(_HEADER_BYTES))
    file.seek(0)
    if kind == NDJSON and not head.getvalue().strip():
        raise UnreadableFileError("is empty; each line must be an object")
    next(read(head, kind), None)


def _csv_rows(text: TextIO) -> Iterator[Row]:
    reader = csv.reader(text, strict=True)
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise UnreadableFileError(f"has a first line that is not CSV: {error}") from None
    _check_header(names)
    while True:
        line = reader.line_num + 1  # where the row begins; a quoted field may span lines
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, None, f"not CSV: {error}")
            continue
        if not values:  # a blank line
            continue
        if len(values) != len(names):
            yield Row(line, None, "has more or fewer fields than the header")
        elif _BAD_BYTE.search("".join(values)):
            yield Row(line, None, "is not UTF-8")
        else:
            yield _checked(line, dict(zip(names, map(plain, values), strict=True)))


def _check_header(names: list[str]) -> None:
    expected = ",".join(CONTENT_FIELDS)
    if not names:
        raise UnreadableFileError(f"is empty; the first line must be {expected}")
    missing, unknown = REQUIRED - set(names), set(names) - set(CONTENT_FIELDS)
    repeated = {name for name in names if names.count(name) > 1}
    for what, columns in (("lacks", missing), ("has unknown", unknown), ("repeats", repeated)):
        if columns:
            raise UnreadableFileError(f"has a header that {what} {', '.join(sorted(columns))!a}; expected: {expected}")


def _ndjson_rows(text: TextIO) -> Iterator[Row]:
    for line, record in enumerate(text, 1):
        if not record.strip():
            continue
        if _BAD_BYTE.search(record):
            yield Row(line, None, "is not UTF-8")
            continue
        try:
            yield _checked(line, json.loads(record))
        except (ValueError, RecursionError) as error:
            yield Row(line, None, f"not JSON: {error}")


def _checked(line: int, record: Any) -> Row:
    try:
        return Row(line, _SCHEMA.load(record))
    except ma.ValidationError as error:
        return Row(line, None, _explain(error.messages))


def _explain(messages: Any) -> str:
    """One line for a terminal: a key that somebody made up may hold anything."""
    if "_schema" in messages:
        return "must be an object"
    named = ((field if field.isprintable() else ascii(field), reasons) for field, reasons in messages.items())
    return "; ".join(f"{field}: {' '.join(map(str, reasons))}" for field, reasons in named)
