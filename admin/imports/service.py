"""Submits, reads, cancels and finishes import jobs. The relays run them (runner.py)."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import PurePath
from typing import IO

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from admin.catalogue.import_rows import CSV, NDJSON, NDJSON_SUFFIXES, UnreadableFileError, check_format, check_header
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from admin.imports.models import ACTIVE, CANCELLED, UPLOADING, WAITING, ImportJob, ImportPiece, RowError
from web.http.problems import ProblemError

log = structlog.get_logger(__name__)

MAX_MEBIBYTES = 100  # of a file; the command line accepts larger ones
PIECE = 1 << 20  # bytes; below the packet limit of every database
KEEP_JOBS = timedelta(days=90)
LONGEST_UPLOAD = timedelta(hours=1)  # older uploads were cut off


class JobNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class UnacceptableFileError(ProblemError):
    """The file cannot be imported; nothing was stored."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, reason: str) -> None:
        super().__init__(f"This file cannot be imported: it {reason}.", [{"field": "file", "detail": reason}])


def submit(file: IO[bytes] | None, name: str, author: str) -> ImportJob:
    """Store a file to be imported in the background; return its job, or the unfinished job of an equal file.

    Raises UnacceptableFileError where it is no UTF-8 text, its name is neither CSV nor NDJSON, or the header is wrong.
    """
    if file is None or not name:
        raise UnacceptableFileError("is missing")
    kind = _check(file, name)
    digest, size, lines = _measure(file)
    job = _begin(PurePath(name).name[:200], kind, size, lines, author)
    for number, content in enumerate(_pieces(file)):
        db.session.execute(insert(ImportPiece).values(job_id=job.id, number=number, content=content))
        db.session.commit()  # a piece at a time: no transaction of a hundred megabytes
    job = _enqueue(job.id, digest)
    log.info("import submitted", run=job.request_id)
    return job


def get_job(job_id: int) -> ImportJob:
    """Return the current state of a job. Raises JobNotFoundError."""
    job = _find(job_id)
    db.session.rollback()
    return job


def list_jobs(limit: int, before: int | None = None) -> Sequence[ImportJob]:
    """Return jobs with ids below ``before``, the latest first."""
    query = select(ImportJob).where(ImportJob.state != UPLOADING).order_by(ImportJob.id.desc()).limit(limit)
    jobs = db.session.execute(query.where(ImportJob.id < before) if before else query).scalars().all()
    db.session.rollback()
    return jobs


def list_errors(job_id: int, limit: int, after: int = 0) -> Sequence[RowError]:
    """Return the skipped rows after the line ``after``, in order."""
    query = select(RowError).where(RowError.job_id == job_id, RowError.line > after).order_by(RowError.line)
    errors = db.session.execute(query.limit(limit)).scalars().all()
    db.session.rollback()
    return errors


@retry_deadlocks
def cancel(job_id: int) -> ImportJob:
    """Cancel an unfinished job; rows that it imported stay. A finished job stays as it is.

    Raises JobNotFoundError.
    """
    ended = _end(job_id, CANCELLED, None)
    job = _find(job_id)
    db.session.commit()
    _log_end(ended, job_id, CANCELLED)
    return job


@retry_deadlocks
def finish(job_id: int, state: str, reason: str | None, claimed_by: str | None = None) -> None:
    """Give an active job its final state and delete its file. Commits."""
    ended = _end(job_id, state, reason, claimed_by)
    db.session.commit()
    _log_end(ended, job_id, state)


def _end(job_id: int, state: str, reason: str | None, claimed_by: str | None = None) -> bool:
    mine = [ImportJob.id == job_id, ImportJob.state.in_(ACTIVE)]
    if claimed_by:
        mine.append(ImportJob.claimed_by == claimed_by)
    final = {"state": state, "reason": reason, "active_file": None, "claimed_until": None, "updated_at": utc_now()}
    ended = db.session.execute(update(ImportJob).where(*mine).values(final)).rowcount  # type: ignore[attr-defined]
    if ended:
        db.session.execute(delete(ImportPiece).where(ImportPiece.job_id == job_id))
    return bool(ended)


def _log_end(ended: bool, job_id: int, state: str) -> None:
    if ended:
        log.info("import ended", job=job_id, state=state)


def _find(job_id: int) -> ImportJob:
    query = select(ImportJob).where(ImportJob.id == job_id).execution_options(populate_existing=True)
    job = db.session.execute(query).scalar_one_or_none()
    if job is None or job.state == UPLOADING:
        db.session.rollback()
        raise JobNotFoundError("There is no such import.")
    return job


def purge() -> None:
    """Delete uploads that were cut off, and jobs that ended long ago. Commits."""
    now = db.session.execute(select(utc_now())).scalar_one()
    cut_off = (ImportJob.state == UPLOADING) & (ImportJob.submitted_at < now - LONGEST_UPLOAD)
    old = (ImportJob.state.not_in([*ACTIVE, UPLOADING])) & (ImportJob.updated_at < now - KEEP_JOBS)
    ids = list(db.session.execute(select(ImportJob.id).where(cut_off | old).limit(20)).scalars())
    for table, key in ((ImportPiece, ImportPiece.job_id), (RowError, RowError.job_id), (ImportJob, ImportJob.id)):
        db.session.execute(delete(table).where(key.in_(ids)))
    db.session.commit()


def _kind(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    if suffix in NDJSON_SUFFIXES:
        return NDJSON
    if suffix != ".csv":
        raise UnacceptableFileError("must be called .csv, or .ndjson with one object per line")
    return CSV


def _check(file: IO[bytes], name: str) -> str:
    """Return the kind of the file. Raises UnacceptableFileError for errors that would fail the whole job."""
    try:
        check_format(file)
        kind = _kind(name)
        check_header(file, kind)
    except UnreadableFileError as error:
        raise UnacceptableFileError(str(error)) from None
    return kind


def _measure(file: IO[bytes]) -> tuple[str, int, int]:
    """Return the digest and the numbers of bytes and lines."""
    digest, size, lines = hashlib.sha256(), 0, 0
    for piece in _pieces(file):
        digest.update(piece)
        size += len(piece)
        lines += piece.count(b"\n")
    return digest.hexdigest(), size, lines


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(PIECE), b"")


def _begin(name: str, kind: str, size: int, lines: int, author: str) -> ImportJob:
    counts = dict.fromkeys(("line", "rows", "created", "updated", "unchanged", "repeated", "failed"), 0)
    about = {"name": name, "kind": kind, "size": size, "lines": lines, "author": author}
    job = ImportJob(state=UPLOADING, submitted_at=utc_now(), updated_at=utc_now(), **about, **counts)
    db.session.add(job)
    db.session.commit()
    return job


def _enqueue(job_id: int, digest: str) -> ImportJob:
    """Make the job ready for the relays and return it; where an equal file has an unfinished job, return that one."""
    try:
        ready = {"state": WAITING, "active_file": digest}
        db.session.execute(update(ImportJob).where(ImportJob.id == job_id).values(ready))
    except IntegrityError:
        db.session.rollback()
    else:
        job = _find(job_id)
        db.session.commit()
        return job
    same = db.session.execute(select(ImportJob.id).where(ImportJob.active_file == digest)).scalar_one_or_none()
    db.session.rollback()
    if same is None:  # it just ended
        return _enqueue(job_id, digest)
    db.session.execute(delete(ImportPiece).where(ImportPiece.job_id == job_id))
    db.session.execute(delete(ImportJob).where(ImportJob.id == job_id))
    job = _find(same)
    db.session.commit()
    return job
