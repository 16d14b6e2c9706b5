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

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from admin.catalogue import search_terms
from admin.catalogue.images import service as images
from admin.catalogue.import_rows import (
    CSV,
    DEFAULTS,
    NDJSON,
    NDJSON_SUFFIXES,
    Row,
    UnreadableFileError,
    check_format,
    read,
)
from admin.catalogue.messages import changed_in
from admin.catalogue.models import ImportProgress, Product
from admin.catalogue.service import apply_changes
from admin.db.engine import retry_deadlocks, upsert
from admin.db.extensions import db
from admin.outbox import outbox
from contract.names import BULK
from runtime.cli.terminal import progress

__all__ = ["CHUNK", "NDJSON_SUFFIXES", "Chunk", "Result", "UnreadableFileError", "chunks", "import_file", "store"]

CHUNK = 500  # rows per transaction
TRIES = 5


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


@retry_deadlocks
def store(chunk: Chunk, author: str, store_progress: StoreProgress) -> Result:
    """Upsert a chunk and store the progress, in one transaction; return the result."""
    valid = [row.content for row in chunk.rows if row.content]
    contents = {content["sku"]: content for content in valid}
    for tries_left in reversed(range(TRIES)):
        try:
            created, updated = _upsert(contents, author)
            unchanged = len(contents) - created - updated
            result = Result(created, updated, unchanged, len(chunk.refused), len(valid) - len(contents))
            store_progress(chunk, result)
            db.session.commit()
            break
        except IntegrityError:
            db.session.rollback()  # one of these skus was created meanwhile; the next try finds it
            if not tries_left:
                raise
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
    known = _by_sku(list(contents))
    differing = {sku: apply_changes(product, contents[sku]) for sku, product in known.items()}
    changed = [(known[sku], "updated") for sku in known if differing[sku]]
    for product, _kind in changed:
        product.updated_at = write.now
    db.session.flush()
    renamed = [known[sku] for sku in known if differing[sku] & search_terms.FIELDS]
    created: list[Product] = []
    fresh = [content for sku, content in contents.items() if sku not in known]
    if fresh:
        times = {"created_at": write.now, "updated_at": write.now, "version": 1}
        db.session.execute(insert(Product), [{**DEFAULTS, **c, "live_sku": c["sku"], **times} for c in fresh])
        created = list(_by_sku([c["sku"] for c in fresh]).values())
        changed += [(product, outbox.CREATED) for product in created]
    if changed:
        search_terms.store(created, renamed)
        outbox.record([(changed_in(write, product), kind) for product, kind in changed], write, author, BULK)
    return len(fresh), len(changed) - len(fresh)


def _by_sku(skus: list[str]) -> dict[str, Product]:
    """Lock and return the live products among ``skus``, always in the same order, against deadlocks."""
    query = select(Product).where(Product.live_sku.in_(skus)).order_by(Product.live_sku).with_for_update()
    return {p.sku: p for p in db.session.execute(query).scalars()}


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
