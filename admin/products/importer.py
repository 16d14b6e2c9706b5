"""Import of a catalogue file: streaming, upsert by sku, in chunks that each are one transaction (A1, bulk lane).

Where an import stands is kept in the database, in the same transaction as the rows: an interrupted one goes on.
"""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import marshmallow as ma
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from admin.database import retry_deadlocks, upsert
from admin.extensions import db
from admin.images import service as images
from admin.products import words
from admin.products.models import CONTENT_FIELDS, ImportProgress, Product
from admin.products.schemas import ContentSchema
from admin.products.service import apply_changes
from admin.replication import outbox
from tasks.names import BULK

CHUNK = 500  # rows per transaction
TRIES = 5
NDJSON_SUFFIXES = {".ndjson", ".jsonl"}
REQUIRED = {name for name, field in ContentSchema().fields.items() if field.required}
# A column that a file leaves out keeps what a product has; only a new product gets the default.
DEFAULTS = {name: field.load_default for name, field in ContentSchema().fields.items() if not field.required}
_SCHEMA = ContentSchema(partial=tuple(DEFAULTS))
_BAD_BYTE = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of one


class UnreadableFileError(Exception):
    """Nothing of the file can be imported; the text says what it should look like."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its line (from 1) and either validated content or what is wrong."""

    line: int
    content: dict[str, Any] | None
    error: str | None = None


@dataclass(slots=True)
class Result:
    """How many rows came to what. ``repeated`` ones gave way to a later row of the same sku in their chunk."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    repeated: int = 0


def import_file(path: Path, author: str, restart: bool, on_error: Callable[[int, str], None]) -> Result:
    """Import ``path``; ``on_error(line, reason)`` is called for each row that is skipped.

    Raises UnreadableFileError when the header is wrong; sqlalchemy's errors when the database does not answer
    (run it again: it goes on).
    """
    key = _digest(path)
    if restart:
        _forget(key)
    done = _done(key)
    result = Result()
    with _open(path) as text, _progress(path) as advance:
        rows = _ndjson_rows(text) if path.suffix.lower() in NDJSON_SUFFIXES else _csv_rows(text)
        for row in islice(rows, done):  # taken by an interrupted run
            advance(row.line)
        while chunk := list(islice(rows, CHUNK)):
            done += len(chunk)
            chunk = _with_known_images(chunk)
            for row in chunk:
                if row.error:
                    on_error(row.line, row.error)
                    result.skipped += 1
            taken = [row.content for row in chunk if row.content]
            contents = {content["sku"]: content for content in taken}
            _store(contents, author, key, done, result)
            result.repeated += len(taken) - len(contents)
            advance(chunk[-1].line)
    _forget(key)
    return result


def _with_known_images(chunk: list[Row]) -> list[Row]:
    """Refuse rows that name an uploaded image which is not here."""
    unknown = images.unknown(row.content.get("image_url", "") for row in chunk if row.content)
    wrong = f"image_url: {images.NOT_HERE}"
    return [Row(r.line, None, wrong) if r.content and r.content.get("image_url") in unknown else r for r in chunk]


@retry_deadlocks
def _store(contents: dict[str, dict[str, Any]], author: str, key: str, done: int, result: Result) -> None:
    """Upsert one chunk and note how far the file is done, in one transaction."""
    for tries_left in reversed(range(TRIES)):
        try:
            created, updated = _upsert(contents, author)
            progress = [{"file": key, "rows_done": done}]
            db.session.execute(upsert(ImportProgress, progress, lambda new: {"rows_done": new.rows_done}))
            db.session.commit()
            break
        except IntegrityError:
            db.session.rollback()  # someone created one of these skus just now: it is there next time
            if not tries_left:
                raise
    db.session.expunge_all()  # a million rows in bounded memory
    result.created += created
    result.updated += updated
    result.unchanged += len(contents) - created - updated


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
    renamed = [held[sku] for sku in held if differing[sku] & words.FIELDS]
    created: list[Product] = []
    fresh = [content for sku, content in contents.items() if sku not in held]
    if fresh:
        times = {"created_at": write.now, "updated_at": write.now, "version": 1}
        db.session.execute(insert(Product), [{**DEFAULTS, **c, "live_sku": c["sku"], **times} for c in fresh])
        created = list(_by_sku([c["sku"] for c in fresh]).values())
        changed += [(product, outbox.CREATED) for product in created]
    if changed:
        words.note(created, renamed)
        outbox.record(changed, write, author, BULK)
    return len(fresh), len(changed) - len(fresh)


def _by_sku(skus: list[str]) -> dict[str, Product]:
    """Lock and return the live products among ``skus``, always in the same order, against deadlocks."""
    query = select(Product).where(Product.live_sku.in_(skus)).order_by(Product.live_sku).with_for_update()
    return {p.sku: p for p in db.session.execute(query).scalars()}


def _open(path: Path) -> TextIO:
    # Bytes that are not UTF-8 become surrogates, which are looked for in each row: one bad row, not a broken file.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _csv_rows(text: TextIO) -> Iterator[Row]:
    reader = csv.reader(text, strict=True)
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise UnreadableFileError(f"line 1 is not CSV: {error}") from None
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
            yield _checked(line, dict(zip(names, values, strict=True)))


def _check_header(names: list[str]) -> None:
    expected = ",".join(CONTENT_FIELDS)
    if not names:
        raise UnreadableFileError(f"is empty; the first line must be {expected}")
    missing, unknown = REQUIRED - set(names), set(names) - set(CONTENT_FIELDS)
    repeated = {name for name in names if names.count(name) > 1}
    for what, columns in (("lacks", missing), ("has unknown", unknown), ("repeats", repeated)):
        if columns:
            raise UnreadableFileError(f"the header {what} {', '.join(sorted(columns))!a}; expected: {expected}")


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


class _progress:
    """A progress bar on a terminal's stderr, by lines; nothing elsewhere."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._total = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not Console(stderr=True).is_terminal)

    def __enter__(self) -> Callable[[int], None]:
        self._bar.start()
        task = self._bar.add_task("importing", total=self._total)
        return lambda line: self._bar.update(task, completed=line)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
