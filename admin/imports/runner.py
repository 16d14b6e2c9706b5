"""Carrying imports out, in a thread of each relay: one at a time, chunk by chunk, through the one importer.

A chunk's rows and how far the job is are one transaction, made only while the job is still ours and wanted. So a
relay that dies leaves the job to the next one, a cancelled job stops within a chunk, and no row is done twice.
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

HOLD = timedelta(seconds=60)  # a chunk takes less than one; after this long without one, whoever had the job is gone
IDLE_SECONDS = 1.0
MAX_ERRORS = 10_000  # that are kept of a job; the others are counted
_REASON = 500  # characters

log = structlog.get_logger(__name__)


class NotOursError(Exception):
    """The job was cancelled, or taken over; the chunk is rolled back."""


class StoppingError(Exception):
    """This relay ends; the job is left to another one."""


class Runner(threading.Thread):
    """Works until ``stop``; outages of the database are waited out."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="imports", daemon=True)
        self._app, self._stopping, self._name = app, threading.Event(), uuid.uuid4().hex

    def stop(self) -> None:
        """End after the chunk in hand, and return then."""
        self._stopping.set()
        self.join(HOLD.total_seconds())

    def run(self) -> None:
        with self._app.app_context():
            while not self._stopping.is_set():
                if not self._step():
                    self._stopping.wait(IDLE_SECONDS)

    def _step(self) -> bool:
        try:
            if job := claim(self._name):
                with correlation.under(job.request_id):
                    log.info("import taken", job=job.id, rows=job.rows)
                    self._carry_out(job)
                return True
        except OUTAGES as error:
            log.warning("imports wait for the database", error=str(error.__cause__ or error))
        except Exception:  # the next job must go on
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
            service.finish(job.id, FAILED, "something went wrong on our side; see the relay's log", self._name)
            raise

    def _import(self, job: ImportJob) -> None:
        failed, file = job.failed, _File(job.id, partial(self._go_on, job.id))
        for chunk in importer.chunks(read(io.BufferedReader(file), job.kind), job.rows):
            if self._stopping.is_set():
                raise StoppingError
            result = importer.store(chunk, job.author, partial(_note, job.id, self._name))
            log.info("imported", job=job.id, rows=chunk.done, created=result.created, updated=result.updated)
            failed += result.skipped
            if is_hopeless(failed, chunk.done):
                reason = f"given up after line {chunk.line}: {failed:,} of {chunk.done:,} rows were refused"
                service.finish(job.id, FAILED, f"{reason}; what was imported stays", self._name)
                return
        service.finish(job.id, DONE, None, self._name)

    def _go_on(self, job_id: int) -> None:
        """Raise StoppingError where this relay ends, NotOursError where the job is not ours any more."""
        if self._stopping.is_set():
            raise StoppingError
        hold(job_id, self._name)


def is_hopeless(failed: int, rows: int) -> bool:
    """Return whether most rows so far are wrong, and no more errors are kept.

    Going on would cost as much as an import and bring next to nothing: minutes of the relay's time for a file that is
    no catalogue.
    """
    return failed > MAX_ERRORS and 2 * failed > rows


@contextmanager
def running(app: Flask) -> Iterator[None]:
    """Carry imports out meanwhile."""
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
    """Take the oldest job that nobody works at; ``name`` is who asks, whose own unfinished job counts too."""
    if not any_row(_ANY):  # all that an idle relay asks, every second
        return None
    now = db.session.execute(select(utc_now())).scalar_one()
    until = ImportJob.claimed_until
    free = or_(until.is_(None), until < now, until > now + 2 * HOLD, ImportJob.claimed_by == name)
    oldest = select(ImportJob).where(ImportJob.state.in_(ACTIVE), free).order_by(ImportJob.id).limit(1)
    lock = oldest.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    job = db.session.execute(lock).scalar_one_or_none()
    if job:
        job.state, job.claimed_by, job.claimed_until = RUNNING, name, now + HOLD
        job.started_at = job.started_at or now
    db.session.commit()
    return job


@retry_deadlocks
def hold(job_id: int, name: str) -> None:
    """Keep a job, also while no chunk comes of it: a file may have many blank lines. Raises NotOursError."""
    mine = (ImportJob.id == job_id, ImportJob.state == RUNNING, ImportJob.claimed_by == name)
    now = db.session.execute(select(utc_now())).scalar_one()
    held = db.session.execute(update(ImportJob).where(*mine).values(claimed_until=now + HOLD))
    db.session.commit()
    if not held.rowcount:  # type: ignore[attr-defined]
        raise NotOursError


@retry_deadlocks
def release(job_id: int, name: str) -> None:
    """Leave a job to whichever relay comes first."""
    mine = (ImportJob.id == job_id, ImportJob.claimed_by == name)
    db.session.execute(update(ImportJob).where(*mine).values(claimed_until=None))
    db.session.commit()


def _note(job_id: int, name: str, chunk: importer.Chunk, result: importer.Result) -> None:
    """Keep how far the job is, in the chunk's transaction. Raises NotOursError."""
    now = db.session.execute(select(utc_now())).scalar_one()
    mine = (ImportJob.id == job_id, ImportJob.state == RUNNING, ImportJob.claimed_by == name)
    so_far = {
        "rows": chunk.done,
        "line": chunk.line,
        "failed": ImportJob.failed + result.skipped,
        "updated_at": now,
        "claimed_until": now + HOLD,
        **{n: getattr(ImportJob, n) + getattr(result, n) for n in ("created", "updated", "unchanged", "repeated")},
    }
    before = db.session.execute(select(ImportJob.failed).where(*mine).with_for_update()).scalar_one_or_none()
    if before is None:
        raise NotOursError
    db.session.execute(update(ImportJob).where(*mine).values(so_far))
    kept = chunk.refused[: max(MAX_ERRORS - before, 0)]
    if kept:
        rows = [{"job_id": job_id, "line": line, "reason": reason[:_REASON]} for line, reason in kept]
        db.session.execute(insert(RowError), rows)


class _File(io.RawIOBase):
    """A job's file, read piece by piece; each is a transaction of its own. ``go_on`` is called before each."""

    def __init__(self, job_id: int, go_on: Callable[[], None]) -> None:
        self._job_id, self._go_on, self._next, self._rest = job_id, go_on, 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = self._piece()
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def _piece(self) -> bytes:
        self._go_on()
        query = select(ImportPiece.content).where(ImportPiece.job_id == self._job_id, ImportPiece.number == self._next)
        content = db.session.execute(query).scalar_one_or_none()
        db.session.rollback()
        self._next += 1
        return content or b""
