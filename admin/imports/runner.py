"""Runs imports in a thread of each relay: one job at a time, chunk by chunk, with the importer.

A chunk's rows and the job's progress are one transaction, which fails unless this relay still has the claim. So another
relay resumes the job of one that died, a cancelled job stops within a chunk, and no row is imported twice.
"""

import io
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import structlog
from flask import Flask
from sqlalchemy import insert, or_, select, update

from admin.catalogue import importer
from admin.catalogue.import_rows import UnreadableFileError, read
from admin.db.engine import OUTAGES, any_row, retry_deadlocks, table, utc_now
from admin.db.extensions import db
from admin.imports import service
from admin.imports.models import ACTIVE, DONE, FAILED, RUNNING, ImportJob, ImportPiece, RowError
from runtime import correlation

CLAIM_LASTS = timedelta(seconds=60)  # a chunk takes less than a second; a relay without one for so long is dead
IDLE_SECONDS = 2.0
MAX_ERRORS = 10_000  # stored per job; further ones are counted
_REASON = 500  # characters

log = structlog.get_logger(__name__)


class NotOursError(Exception):
    """The job was cancelled, or another relay claimed it; the chunk is rolled back."""


class StoppingError(Exception):
    """This relay stops; another one resumes the job."""


class Runner(threading.Thread):
    """Runs jobs until ``stop``; waits while the database is down."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="imports", daemon=True)
        self._app, self._stopping, self._name = app, threading.Event(), uuid.uuid4().hex

    def stop(self) -> None:
        """Stop after the current chunk; return then."""
        self._stopping.set()
        self.join(CLAIM_LASTS.total_seconds())

    def run(self) -> None:
        with self._app.app_context():
            while not self._stopping.is_set():
                if not self._step():
                    self._stopping.wait(IDLE_SECONDS)

    def _step(self) -> bool:
        try:
            if job := claim(self._name):
                with correlation.under(job.request_id):
                    log.info("import claimed", job=job.id, rows=job.rows)
                    self._carry_out(job)
                return True
        except OUTAGES as error:
            log.warning("imports wait for the database", error=str(error.__cause__ or error))
        except Exception:  # the next job is still run
            log.exception("imports: a step failed")
        finally:
            db.session.remove()
        return False

    def _carry_out(self, job: ImportJob) -> None:
        try:
            self._import(job)
        except StoppingError:
            release(job.id, self._name)
        except NotOursError:
            db.session.rollback()
            log.info("import stopped", job=job.id)
        except UnreadableFileError as error:
            service.finish(job.id, FAILED, str(error)[:_REASON], self._name)
        except OUTAGES:
            raise
        except Exception:
            db.session.rollback()
            service.finish(job.id, FAILED, "an internal error; see the relay's log", self._name)
            raise

    def _import(self, job: ImportJob) -> None:
        failed, file = job.failed, _File(job.id, partial(self._renew, job.id))
        for chunk in importer.chunks(read(io.BufferedReader(file), job.kind), job.rows):
            if self._stopping.is_set():
                raise StoppingError
            result = importer.store(chunk, job.author, partial(_store_progress, job.id, self._name))
            log.info("rows imported", job=job.id, rows=chunk.done, created=result.created, updated=result.updated)
            failed += result.skipped
            if is_hopeless(failed, chunk.done):
                reason = f"given up after line {chunk.line}: {failed:,} of {chunk.done:,} rows were refused"
                service.finish(job.id, FAILED, f"{reason}; what was imported stays", self._name)
                return
        service.finish(job.id, DONE, None, self._name)

    def _renew(self, job_id: int) -> None:
        """Renew the claim. Raises StoppingError where this relay stops, NotOursError where the claim was lost."""
        if self._stopping.is_set():
            raise StoppingError
        renew(job_id, self._name)


def is_hopeless(failed: int, rows: int) -> bool:
    """Return whether most rows so far are wrong, and more than MAX_ERRORS.

    Such a file is no catalogue, and reading it to its end would take minutes of the relay's time.
    """
    return failed > MAX_ERRORS and 2 * failed > rows


@contextmanager
def running(app: Flask) -> Iterator[None]:
    """Run imports meanwhile."""
    runner = Runner(app)
    runner.start()
    try:
        yield
    finally:
        runner.stop()


_jobs = table(ImportJob).columns
_ANY = select(_jobs.id).where(_jobs.state.in_(ACTIVE)).limit(1)


@retry_deadlocks
def claim(name: str) -> ImportJob | None:
    """Claim the oldest unclaimed job for the runner ``name``; its own unfinished job counts as unclaimed."""
    if not any_row(_ANY):  # an idle relay runs only this query, every second
        return None
    now = db.session.execute(select(utc_now())).scalar_one()
    until = ImportJob.claimed_until
    free = or_(until.is_(None), until < now, until > now + 2 * CLAIM_LASTS, ImportJob.claimed_by == name)
    oldest = select(ImportJob).where(ImportJob.state.in_(ACTIVE), free).order_by(ImportJob.id).limit(1)
    lock = oldest.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    job = db.session.execute(lock).scalar_one_or_none()
    if job:
        job.state, job.claimed_by, job.claimed_until = RUNNING, name, now + CLAIM_LASTS
        job.started_at = job.started_at or now
    db.session.commit()
    return job


@retry_deadlocks
def renew(job_id: int, name: str) -> None:
    """Renew the claim of a job, also without a chunk: a file may have many blank lines. Raises NotOursError."""
    mine = (ImportJob.id == job_id, ImportJob.state == RUNNING, ImportJob.claimed_by == name)
    now = db.session.execute(select(utc_now())).scalar_one()
    renewed = db.session.execute(update(ImportJob).where(*mine).values(claimed_until=now + CLAIM_LASTS))
    db.session.commit()
    if not renewed.rowcount:  # type: ignore[attr-defined]
        raise NotOursError


@retry_deadlocks
def release(job_id: int, name: str) -> None:
    """Give up the claim of a job, so that another relay can resume it."""
    mine = (ImportJob.id == job_id, ImportJob.claimed_by == name)
    db.session.execute(update(ImportJob).where(*mine).values(claimed_until=None))
    db.session.commit()


def _store_progress(job_id: int, name: str, chunk: importer.Chunk, result: importer.Result) -> None:
    """Store the job's progress, in the chunk's transaction. Raises NotOursError."""
    now = db.session.execute(select(utc_now())).scalar_one()
    mine = (ImportJob.id == job_id, ImportJob.state == RUNNING, ImportJob.claimed_by == name)
    progress = {
        "rows": chunk.done,
        "line": chunk.line,
        "failed": ImportJob.failed + result.skipped,
        "updated_at": now,
        "claimed_until": now + CLAIM_LASTS,
        **{n: getattr(ImportJob, n) + getattr(result, n) for n in ("created", "updated", "unchanged", "repeated")},
    }
    before = db.session.execute(select(ImportJob.failed).where(*mine).with_for_update()).scalar_one_or_none()
    if before is None:
        raise NotOursError
    db.session.execute(update(ImportJob).where(*mine).values(progress))
    errors = chunk.refused[: max(MAX_ERRORS - before, 0)]
    if errors:
        rows = [{"job_id": job_id, "line": line, "reason": reason[:_REASON]} for line, reason in errors]
        db.session.execute(insert(RowError), rows)


class _File(io.RawIOBase):
    """A job's file, read piece by piece, each in a transaction of its own. Calls ``renew`` before each."""

    def __init__(self, job_id: int, renew: Callable[[], None]) -> None:
        self._job_id, self._renew, self._next, self._buffered = job_id, renew, 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._buffered:
            self._buffered = self._piece()
        size = min(len(buffer), len(self._buffered))
        buffer[:size], self._buffered = self._buffered[:size], self._buffered[size:]
        return size

    def _piece(self) -> bytes:
        self._renew()
        query = select(ImportPiece.content).where(ImportPiece.job_id == self._job_id, ImportPiece.number == self._next)
        content = db.session.execute(query).scalar_one_or_none()
        db.session.rollback()
        self._next += 1
        return content or b""
