"""Import of a catalogue: streaming, upsert by sku, in chunks that each are one transaction (A1, bulk lane).

Where an import stands is kept in the database, in the same transaction as the rows: an interrupted one goes on.
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
    """How many rows came to what. ``repeated`` ones gave way to a later row of the same sku in their chunk."""

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
    """The next rows of a file; ``done``: how many of its rows are taken with them."""

    rows: list[Row]
    done: int

    @property
    def line(self) -> int:
        """The line on which the last of them begins."""
        return self.rows[-1].line

    @property
    def refused(self) -> list[tuple[int, str]]:
        """Line and reason of each row that is skipped."""
        return [(row.line, row.error) for row in self.rows if row.error]


Note = Callable[[Chunk, Result], None]  # keeps how far an import is; called within the chunk's transaction


def import_file(
    path: Path, author: str, restart: bool, on_error: Callable[[int, str], None], kind: str | None = None
) -> Result:
    """Import ``path``, of which ``kind`` (None: by its name); ``on_error(line, reason)`` is called for each row that is
    skipped.

    Raises UnreadableFileError when it is no UTF-8 text, or the header is wrong; sqlalchemy's errors when the database
    does not answer (run it again: it goes on).
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
            result.add(store(chunk, author, partial(_note, key)))
            advance(chunk.line)
    _forget(key)
    return result


def chunks(rows: Iterator[Row], done: int) -> Iterator[Chunk]:
    """Yield ``rows`` in chunks, without the first ``done``, which an interrupted run took."""
    for _row in islice(rows, done):
        pass
    while taken := list(islice(rows, CHUNK)):
        done += len(taken)
        yield Chunk(_with_known_images(taken), done)


@retry_deadlocks
def store(chunk: Chunk, author: str, note: Note) -> Result:
    """Upsert one chunk and have it noted, in one transaction; return what came of it."""
    taken = [row.content for row in chunk.rows if row.content]
    contents = {content["sku"]: content for content in taken}
    for tries_left in reversed(range(TRIES)):
        try:
            created, updated = _upsert(contents, author)
            unchanged = len(contents) - created - updated
            result = Result(created, updated, unchanged, len(chunk.refused), len(taken) - len(contents))
            note(chunk, result)
            db.session.commit()
            break
        except IntegrityError:
            db.session.rollback()  # someone created one of these skus just now: it is there next time
            if not tries_left:
                raise
    db.session.expunge_all()  # a million rows in bounded memory
    return result


def _note(key: str, chunk: Chunk, _result: Result) -> None:
    progress = [{"file": key, "rows_done": chunk.done}]
    db.session.execute(upsert(ImportProgress, progress, lambda new: {"rows_done": new.rows_done}))


def _with_known_images(chunk: list[Row]) -> list[Row]:
    """Refuse rows that name an uploaded image which is not here."""
    unknown = images.unknown(row.content.get("image_url", "") for row in chunk if row.content)
    wrong = f"image_url: {images.NOT_HERE}"
    return [Row(r.line, None, wrong) if r.content and r.content.get("image_url") in unknown else r for r in chunk]


def _upsert(contents: dict[str, dict[str, Any]], author: str) -> tuple[int, int]:
    """Return how many products were created and how many updated."""
    if not contents:
        return 0, 0
    write = outbox.begin_write()
    held = _by_sku(list(contents))
    differing = {sku: apply_changes(product, contents[sku]) for sku, product in held.items()}
    changed = [(held[sku], "updated") for sku in held if differing[sku]]
    for product, _kind in changed:
        product.updated_at = write.now
    db.session.flush()
    renamed = [held[sku] for sku in held if differing[sku] & search_terms.FIELDS]
    created: list[Product] = []
    fresh = [content for sku, content in contents.items() if sku not in held]
    if fresh:
        times = {"created_at": write.now, "updated_at": write.now, "version": 1}
        db.session.execute(insert(Product), [{**DEFAULTS, **c, "live_sku": c["sku"], **times} for c in fresh])
        created = list(_by_sku([c["sku"] for c in fresh]).values())
        changed += [(product, outbox.CREATED) for product in created]
    if changed:
        search_terms.note(created, renamed)
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
