"""Reading CSV line by line: whatever is wrong with a line, reading goes on at the next one.

A quoted cell may span lines, as RFC 4180 allows. Where its closing quote is missing, the lines behind it belong to
other rows, so they are read again, each by itself.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_CHARACTERS = 131_072  # of a record of several lines; csv's own limit for one cell
DELIMITERS = ",;\t"  # in the order in which they are looked for; spreadsheets write the others in some countries
_END = "unexpected end of data"  # csv's words for a quote that is open at the end of the file


class BrokenRecordError(Exception):
    """Lines that are no record of RFC 4180; the text says why."""


class Record(NamedTuple):
    """The cells that begin in ``line`` (from 1) and the ``lines`` of the file that they take.

    ``broken`` says why there are no cells; the record is then one line.
    """

    line: int
    lines: int
    cells: list[str]
    broken: str | None = None


class Records:
    """The records of a CSV file, the first of which is its header."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text, self._ahead, self._line = text, deque[str](), 1
        self._taken: list[str] = []  # the lines of the latest record
        self._delimiter = ","

    def header(self) -> list[str]:
        """Return the cells of the first line, by which the delimiter is found. Raises BrokenRecordError."""
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
            if not self._taken:
                return
            yield Record(line, len(self._taken), cells)

    def reread(self) -> None:
        """Go on at the line behind the one in which the latest record begins."""
        for line in reversed(self._taken[1:]):
            self._ahead.appendleft(line)
        self._line -= len(self._taken) - 1
        del self._taken[1:]

    def _parse(self) -> list[str]:
        self._taken = []
        try:
            return next(csv.reader(self._lines(), delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            unclosed = len(self._taken) > 1 or str(error) == _END
            why = "a quote opens in this line and is not closed properly" if unclosed else error
            raise BrokenRecordError(f"not CSV: {why}") from None
        finally:
            self._line += len(self._taken)

    def _lines(self) -> Iterable[str]:
        """Return the lines of one record, of which csv takes as many as it needs."""
        first = self._next_line()
        if first is None:
            return ()
        self._taken.append(first)
        return self._further(first) if '"' in first else (first,)

    def _further(self, first: str) -> Iterator[str]:
        yield first
        size = len(first)
        while (line := self._next_line()) is not None:
            self._taken.append(line)
            size += len(line)
            if size > MAX_CHARACTERS:
                raise csv.Error
            yield line

    def _next_line(self) -> str | None:
        return self._ahead.popleft() if self._ahead else next(self._text, None)
