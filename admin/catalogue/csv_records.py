"""Reads CSV record by record. After a broken line, reading continues at the next line.

A quoted cell may span lines, as RFC 4180 allows. Where its closing quote is missing, the lines after it belong to
other rows, so they are read again, each as a record of its own.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_CHARACTERS = 131_072  # of a record of several lines; csv's own limit for one cell
DELIMITERS = ",;\t"  # in order of preference; spreadsheets of some countries write the last two
_END = "unexpected end of data"  # csv's error for a quote that is open at the end of the file


class BrokenRecordError(Exception):
    """The lines are no record of RFC 4180; the text says why."""


class Record(NamedTuple):
    """The cells of the record that begins in ``line`` (from 1) and spans ``lines`` lines.

    ``broken`` says why there are no cells; the record is then one line.
    """

    line: int
    lines: int
    cells: list[str]
    broken: str | None = None


class Records:
    """The records of a CSV file, after its header."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text, self._ahead, self._line = text, deque[str](), 1
        self._record_lines: list[str] = []  # of the latest record
        self._delimiter = ","

    def header(self) -> list[str]:
        """Return the cells of the first line, which also determines the delimiter. Raises BrokenRecordError."""
        first = self._next_line()
        if first is not None:
            self._ahead.appendleft(first)
            self._delimiter = next((mark for mark in DELIMITERS if mark in first), ",")
        return self._parse()

    def __iter__(self) -> Iterator[Record]:
        while True:
            line = self._line
            try:
                cells = self._parse()
            except BrokenRecordError as error:
                self.reread()
                yield Record(line, 1, [], str(error))
                continue
            if not self._record_lines:
                return
            yield Record(line, len(self._record_lines), cells)

    def reread(self) -> None:
        """Continue at the line after the first one of the latest record."""
        for line in reversed(self._record_lines[1:]):
            self._ahead.appendleft(line)
        self._line -= len(self._record_lines) - 1
        del self._record_lines[1:]

    def _parse(self) -> list[str]:
        self._record_lines = []
        try:
            return next(csv.reader(self._lines(), delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            unclosed = len(self._record_lines) > 1 or str(error) == _END
            why = "a quote opens in this line and is not closed properly" if unclosed else error
            raise BrokenRecordError(f"not CSV: {why}") from None
        finally:
            self._line += len(self._record_lines)

    def _lines(self) -> Iterable[str]:
        """Return the lines from which csv reads one record."""
        first = self._next_line()
        if first is None:
            return ()
        self._record_lines.append(first)
        return self._further(first) if '"' in first else (first,)

    def _further(self, first: str) -> Iterator[str]:
        yield first
        size = len(first)
        while (line := self._next_line()) is not None:
            self._record_lines.append(line)
            size += len(line)
            if size > MAX_CHARACTERS:
                raise csv.Error
            yield line

    def _next_line(self) -> str | None:
        return self._ahead.popleft() if self._ahead else next(self._text, None)
