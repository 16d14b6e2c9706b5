"""Reads a catalogue file row by row: CSV with a header, or NDJSON with one object per line."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import IO, Any, TextIO

import marshmallow as ma

from admin.catalogue import validation
from admin.catalogue.csv_cells import plain
from admin.catalogue.csv_records import BrokenRecordError, Record, Records
from admin.catalogue.models import CONTENT_FIELDS
from admin.catalogue.validation import REQUIRED

CSV, NDJSON = KINDS = ("csv", "ndjson")
NDJSON_SUFFIXES = {".ndjson", ".jsonl"}
_HEADER_BYTES = 100_000  # no header is longer
_LINE_CHARACTERS = 1_000_000  # the API's limit for a product; the longest product needs a seventh
_OTHER_FORMATS = {
    b"\x1f\x8b": "is compressed by gzip; unpack it first (gunzip)",
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet; save the sheet as 'CSV UTF-8', or unpack the archive",
    b"\xff\xfe": "is UTF-16 text; save it as UTF-8 ('CSV UTF-8' in a spreadsheet; or iconv -f UTF-16 -t UTF-8)",
}
_OTHER_FORMATS[b"\xfe\xff"] = _OTHER_FORMATS[b"\xff\xfe"]
_BAD_BYTE = re.compile("[\udc80-\udcff]")  # a byte that is not UTF-8, after surrogateescape


class UnreadableFileError(Exception):
    """The file cannot be imported at all; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: its line (from 1), and validated content or the ``error`` in ``fields``."""

    line: int
    content: dict[str, Any] | None
    error: str | None = None
    fields: frozenset[str] = frozenset()


def read(file: IO[bytes], kind: str) -> Iterator[Row]:
    """Yield the rows of ``file``, of one of KINDS, and close it. Raises UnreadableFileError for a wrong header."""
    # Bytes that are not UTF-8 become surrogates, which make their row bad, not the whole file.
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        lines = _lines(text)
        yield from _ndjson_rows(lines) if kind == NDJSON else _csv_rows(lines)


def _lines(text: TextIO) -> Iterator[str]:
    """Yield the lines of ``text``. Raises UnreadableFileError at a line that is too long for a row of a catalogue:
    reading and parsing it would block every other thread of the process.
    """
    for number in count(1):
        line = text.readline(_LINE_CHARACTERS)
        if len(line) == _LINE_CHARACTERS:
            raise UnreadableFileError(
                f"has a line {number} of more than a million characters; put each row on a line of its own"
            )
        if not line:
            return
        yield line


def check_format(file: IO[bytes]) -> None:
    """Raise UnreadableFileError, which says how to convert, unless ``file`` is UTF-8 text. Rewinds the file."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    for mark, what in _OTHER_FORMATS.items():
        if start.startswith(mark) or (b"\0" in start and mark == b"\xff\xfe"):  # UTF-16 without a mark
            raise UnreadableFileError(what)


def check_header(file: IO[bytes], kind: str) -> None:
    """Raise UnreadableFileError where ``read`` would. Rewinds the file."""
    file.seek(0)
    head = io.BytesIO(file.read(_HEADER_BYTES))
    file.seek(0)
    if kind == NDJSON and not head.getvalue().strip():
        raise UnreadableFileError("is empty; each line must be an object")
    next(read(head, kind), None)


def _csv_rows(text: Iterator[str]) -> Iterator[Row]:
    records = Records(text)
    try:
        header = records.header()
    except BrokenRecordError as error:
        raise UnreadableFileError(f"has a first line that is {error}") from None
    names = _named(header)
    _check_header(names)
    for record in records:
        if not record.broken and not any(map(str.strip, record.cells)):
            continue  # blank, or only commas
        row = _csv_row(record, names, len(header))
        if record.lines > 1 and _is_unclosed(row, dict(zip(names, record.cells, strict=False))):
            records.reread()
        yield row


def _named(header: list[str]) -> list[str]:
    """Return ``header`` without the empty columns that spreadsheets append."""
    names = list(header)
    while names and not names[-1].strip():
        names.pop()
    return names


def _csv_row(record: Record, names: list[str], most: int) -> Row:
    """Return the row of ``record``, which has at most ``most`` cells, those of named columns first."""
    cells, count = record.cells, len(names)
    if record.broken:
        return Row(record.line, None, record.broken)
    if not count <= len(cells) <= most:
        return Row(record.line, None, "has more or fewer fields than the header")
    if any(map(str.strip, cells[count:])):
        return Row(record.line, None, "has a value in a column without a name")
    if _BAD_BYTE.search("".join(cells)):
        return Row(record.line, None, "is not UTF-8")
    return _checked(record.line, dict(zip(names, map(plain, cells[:count]), strict=True)))


def _is_unclosed(row: Row, cells: dict[str, str]) -> bool:
    """Return whether a row of several lines has a wrong shape, or an error in a cell that spans lines.

    Then a quote is probably not closed, and a later quote only seems to close it.
    """
    spanning = {name for name, cell in cells.items() if "\n" in cell or "\r" in cell}
    return row.error is not None and (not row.fields or not row.fields.isdisjoint(spanning))


def _check_header(names: list[str]) -> None:
    expected = ",".join(CONTENT_FIELDS)
    if not names:
        raise UnreadableFileError(f"is empty; the first line must be {expected}")
    missing, unknown = REQUIRED - set(names), set(names) - set(CONTENT_FIELDS)
    repeated = {name for name in names if names.count(name) > 1}
    for what, columns in (("lacks", missing), ("has unknown", unknown), ("repeats", repeated)):
        if columns:
            raise UnreadableFileError(f"has a header that {what} {', '.join(sorted(columns))!a}; expected: {expected}")


def _ndjson_rows(text: Iterator[str]) -> Iterator[Row]:
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
        return Row(line, validation.content(record))
    except ma.ValidationError as error:
        return Row(line, None, _explain(error.messages), frozenset(error.messages))


def _explain(messages: Any) -> str:
    """Return the errors as one printable line; keys of the input may contain any character."""
    if "_schema" in messages:
        return "must be an object"
    named = ((field if field.isprintable() else ascii(field), reasons) for field, reasons in messages.items())
    return "; ".join(f"{field}: {' '.join(map(str, reasons))}" for field, reasons in named)
