"""Imports a catalogue: reads it as a stream and upserts it by sku in chunks, each one transaction, on the bulk lane.

The position is stored in the transaction of each chunk, so an interrupted import can resume.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from admin.catalogue import bulk
from admin.catalogue.images import service as images
from admin.catalogue.import_rows import (
    CSV,
    NDJSON,
    NDJSON_SUFFIXES,
    Row,
    UnreadableFileError,
    check_format,
    read,
)
from admin.catalogue.models import ImportProgress
from admin.catalogue.validation import DEFAULTS
from admin.db.engine import upsert
from admin.db.extensions import db
from admin.outbox import outbox
from contract.names import BULK
from runtime.cli.terminal import progress

__all__ = ["CHUNK", "NDJSON_SUFFIXES", "Chunk", "Result", "UnreadableFileError", "chunks", "import_file", "store"]

CHUNK = 500  # rows per transaction


@dataclass(slots=True)
class Result:
    """Numbers of rows by result. ``repeated``: a later row of the chunk has the same sku."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    repeated: int = 0

    def add(self, other: "Result") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next rows of a file; ``done`` is the number of the file's rows up to their end."""

    rows: list[Row]
    done: int

    @property
    def line(self) -> int:
        """The first line of the last row."""
        return self.rows[-1].line

    @property
    def refused(self) -> list[tuple[int, str]]:
        """Line and reason of each row that is skipped."""
        return [(row.line, row.error) for row in self.rows if row.error]


StoreProgress = Callable[[Chunk, Result], None]  # stores the position, within the chunk's transaction


def import_file(
    path: Path, author: str, restart: bool, on_error: Callable[[int, str], None], kind: str | None = None
) -> Result:
    """Import ``path`` as ``kind`` (None: by its name); call ``on_error(line, reason)`` for each skipped row.

    Raises UnreadableFileError where it is no UTF-8 text or has a wrong header, and sqlalchemy's errors while the
    database is down. Another call resumes the import.
    """
    key = _digest(path)
    if restart:
        _forget(key)
    result = Result()
    kind = kind or (NDJSON if path.suffix.lower() in NDJSON_SUFFIXES else CSV)
    with path.open("rb") as file, progress("importing", _lines(path)) as advance:
        check_format(file)
        for chunk in chunks(read(file, kind), _done(key)):
            for line, reason in chunk.refused:
                on_error(line, reason)
            result.add(store(chunk, author, partial(_store_progress, key)))
            advance(chunk.line)
    _forget(key)
    return result


def chunks(rows: Iterator[Row], done: int) -> Iterator[Chunk]:
    """Yield ``rows`` in chunks, without the first ``done``, which an interrupted run imported."""
    for _row in islice(rows, done):
        pass
    while chunk := list(islice(rows, CHUNK)):
        done += len(chunk)
        yield Chunk(_with_known_images(chunk), done)


@bulk.retry_races
def store(chunk: Chunk, author: str, store_progress: StoreProgress) -> Result:
    """Upsert a chunk and store the progress, in one transaction; return the result."""
    valid = [row.content for row in chunk.rows if row.content]
    contents = {content["sku"]: content for content in valid}
    created, updated = _upsert(contents, author)
    unchanged = len(contents) - created - updated
    result = Result(created, updated, unchanged, len(chunk.refused), len(valid) - len(contents))
    store_progress(chunk, result)
    db.session.commit()
    db.session.expunge_all()  # a million rows in bounded memory
    return result


def _store_progress(key: str, chunk: Chunk, _result: Result) -> None:
    progress = [{"file": key, "rows_done": chunk.done}]
    db.session.execute(upsert(ImportProgress, progress, lambda new: {"rows_done": new.rows_done}))


def _with_known_images(chunk: list[Row]) -> list[Row]:
    """Refuse rows that name an uploaded image which is not stored."""
    unknown = images.unknown(row.content.get("image_url", "") for row in chunk if row.content)
    wrong = f"image_url: {images.NOT_STORED}"
    return [Row(r.line, None, wrong) if r.content and r.content.get("image_url") in unknown else r for r in chunk]


def _upsert(contents: dict[str, dict[str, Any]], author: str) -> tuple[int, int]:
    """Return how many products were created and how many updated."""
    if not contents:
        return 0, 0
    write = outbox.begin_write()
    known = {product.live_sku: product for product in bulk.lock(bulk.ids_of(contents).values()).values()}
    new = [bulk.created({**DEFAULTS, **content}, write) for sku, content in contents.items() if sku not in known]
    changed = []
    for sku, product in known.items():
        if changes := bulk.differing(product, contents[sku]) if sku in contents else {}:
            changed.append((product, bulk.updated(product, changes, write)))
    bulk.store(new, changed, write, author, BULK)
    return len(new), len(changed)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _done(key: str) -> int:
    progress = db.session.get(ImportProgress, key)
    db.session.rollback()
    return progress.rows_done if progress else 0


def _forget(key: str) -> None:
    if progress := db.session.get(ImportProgress, key):
        db.session.delete(progress)
    db.session.commit()


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
