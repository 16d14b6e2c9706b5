"""The relay process's periodic jobs, in a thread beside sending. Any number of relays may do them at once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from flask import Flask

from admin.accounts import audit, sign_ins
from admin.catalogue import idempotency
from admin.catalogue.images import purge as images
from admin.db.engine import OUTAGES
from admin.db.extensions import db
from admin.imports import service as imports
from admin.outbox import change_log
from admin.outbox.client_gateway import ClientUnavailableError
from admin.reconcile import check
from admin.relay import claims, restore_detection, resync_runs
from admin.relay.restore_detection import RestoredError

log = structlog.get_logger(__name__)


def make_far_future_due() -> None:
    """A clock that was set back must not leave rows waiting for days."""
    if rows := claims.make_far_future_due():
        log.warning("made due: the database's clock went back", products=rows)


def compare_generations() -> None:
    """Notice a restored database also when nothing changes."""
    restore_detection.ask([])


def purge_history() -> None:
    """Keep the change log bounded."""
    _purge(change_log.purge, change_log.PURGE_CHUNK)


def purge_accounts() -> None:
    """Remove sign-ins that are over, and the oldest of the audit trail."""
    sign_ins.purge()
    audit.purge()


def purge_images() -> None:
    """Remove images that no product has named for a while."""
    images.purge()


def purge_imports() -> None:
    """Remove what is left of uploads that were cut off, and of imports that ended long ago."""
    imports.purge()


def purge_idempotency_keys() -> None:
    """Forget the keys of yesterday."""
    _purge(idempotency.purge, idempotency.PURGE_CHUNK)


def compare_stores() -> None:
    """Notice edits past Lockstep's back, and losses."""
    check.compare_next()


def resync_many() -> None:
    """Continue the resyncs that staff requested, for at most one second at a time."""
    deadline = time.monotonic() + 1
    while resync_runs.advance() and time.monotonic() < deadline:
        pass


def _purge(purge: Callable[[], int], chunk: int) -> None:
    """Go on at once while there is more, for a while."""
    deadline = time.monotonic() + 1
    while purge() == chunk and time.monotonic() < deadline:
        pass


# What, and every how many seconds.
JOBS: list[tuple[Callable[[], None], float]] = [
    (make_far_future_due, 60.0),
    (compare_generations, 5.0),
    (purge_history, 60.0),
    (purge_accounts, 60.0),
    (purge_images, 60.0),
    (purge_imports, 60.0),
    (purge_idempotency_keys, 60.0),
    (compare_stores, 5.0),
    (resync_many, 2.0),
]
TICK_SECONDS = 0.5
_STOP_SECONDS = 5.0  # a job that is in the middle of something by then ends with the process; the next one resumes


class Maintenance(threading.Thread):
    """Runs each job when its time has come, until ``stop``. Nothing that a job waits for delays sending."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="maintenance", daemon=True)
        self._app, self._stopping = app, threading.Event()
        self._next = {job: 0.0 for job, _seconds in JOBS}

    def stop(self) -> None:
        """End after the job in hand."""
        self._stopping.set()
        self.join(_STOP_SECONDS)

    def run(self) -> None:
        with self._app.app_context():
            while not self._stopping.wait(TICK_SECONDS):
                self._run_due()

    def _run_due(self) -> None:
        """Run what is due; an outage postpones it."""
        for job, seconds in JOBS:
            if time.monotonic() >= self._next[job] and not self._stopping.is_set():
                self._next[job] = time.monotonic() + seconds
                _run(job)


@contextmanager
def running(app: Flask) -> Iterator[None]:
    """Do the jobs meanwhile."""
    maintenance = Maintenance(app)
    maintenance.start()
    try:
        yield
    finally:
        maintenance.stop()


def _run(job: Callable[[], None]) -> None:
    try:
        job()
    except (*OUTAGES, ClientUnavailableError, RestoredError) as error:
        log.warning("postponed", job=job.__name__, reason=str(error.__cause__ or error))
    except Exception:  # the other jobs must go on
        log.exception("a job failed", job=job.__name__)
    finally:
        db.session.remove()
