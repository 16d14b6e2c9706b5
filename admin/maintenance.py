"""The relay process's periodic jobs, in a thread of their own. Several relays may run them at once."""

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
    """Make rows due that a clock set back would delay for days."""
    if rows := claims.make_far_future_due():
        log.warning("rows made due: the database's clock went back", products=rows)


def compare_generations() -> None:
    """Detect a restored database even while nothing is sent."""
    restore_detection.ask([])


def purge_history() -> None:
    """Delete old entries of the change log."""
    _purge(change_log.purge, change_log.PURGE_CHUNK)


def purge_accounts() -> None:
    """Delete expired sign-ins and old audit events."""
    sign_ins.purge()
    audit.purge()


def purge_images() -> None:
    """Delete images that no product has named for a while."""
    images.purge()


def purge_imports() -> None:
    """Delete uploads that were cut off, and imports that ended long ago."""
    imports.purge()


def purge_idempotency_keys() -> None:
    """Delete old idempotency keys."""
    _purge(idempotency.purge, idempotency.PURGE_CHUNK)


def compare_stores() -> None:
    """Detect edits outside Lockstep, and losses."""
    check.compare_next()


def resync_many() -> None:
    """Continue the resyncs that staff requested, for at most one second at a time."""
    deadline = time.monotonic() + 1
    while resync_runs.advance() and time.monotonic() < deadline:
        pass


def _purge(purge: Callable[[], int], chunk: int) -> None:
    """Purge chunk after chunk while they are full, for a second at most."""
    deadline = time.monotonic() + 1
    while purge() == chunk and time.monotonic() < deadline:
        pass


# Each job and its period in seconds.
JOBS: list[tuple[Callable[[], None], float]] = [
    (make_far_future_due, 60.0),
    (compare_generations, 10.0),
    (purge_history, 60.0),
    (purge_accounts, 60.0),
    (purge_images, 60.0),
    (purge_imports, 60.0),
    (purge_idempotency_keys, 60.0),
    (compare_stores, 5.0),
    (resync_many, 5.0),
]
TICK_SECONDS = 1.0
_STOP_SECONDS = 5.0  # then a running job ends with the process, and another relay does its work


class Maintenance(threading.Thread):
    """Runs each job when it is due, until ``stop``. No job delays sending."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="maintenance", daemon=True)
        self._app, self._stopping = app, threading.Event()
        self._next = {job: 0.0 for job, _seconds in JOBS}

    def stop(self) -> None:
        """Stop after the current job."""
        self._stopping.set()
        self.join(_STOP_SECONDS)

    def run(self) -> None:
        with self._app.app_context():
            while not self._stopping.wait(TICK_SECONDS):
                self._run_due()

    def _run_due(self) -> None:
        """Run the due jobs; an outage postpones them."""
        for job, seconds in JOBS:
            if time.monotonic() >= self._next[job] and not self._stopping.is_set():
                self._next[job] = time.monotonic() + seconds
                _run(job)


@contextmanager
def running(app: Flask) -> Iterator[None]:
    """Run the jobs meanwhile."""
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
        log.warning("job postponed", job=job.__name__, reason=str(error.__cause__ or error))
    except Exception:  # the other jobs are still run
        log.exception("a job failed", job=job.__name__)
    finally:
        db.session.remove()
