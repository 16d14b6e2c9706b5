"""A3, now and then: what a relay does beside sending. Any number of relays may do it at once."""

import time
from collections.abc import Callable

import structlog

from admin.accounts import audit, sign_ins
from admin.database import OUTAGES
from admin.extensions import db
from admin.images import purge as images
from admin.imports import service as imports
from admin.products import idempotency
from admin.reconcile import check
from admin.replication import claims, history, marks, replay_runs
from admin.replication.client_gateway import ClientUnavailableError
from admin.replication.marks import RestoredError

log = structlog.get_logger(__name__)


def rescue_far_future() -> None:
    """A clock that was set back must not leave rows waiting for days."""
    if rows := claims.rescue_far_future():
        log.warning("made due: the database's clock went back", products=rows)


def compare_marks() -> None:
    """Notice a restored database also when nothing changes."""
    marks.ask([])


def purge_history() -> None:
    """Keep the change log bounded."""
    _purge(history.purge, history.PURGE_CHUNK)


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
    check.look()


def replay_many() -> None:
    """Go on with what staff asked to be replayed; at once while there is more, for a while."""
    deadline = time.monotonic() + 1
    while replay_runs.go_on() and time.monotonic() < deadline:
        pass


def _purge(purge: Callable[[], int], chunk: int) -> None:
    """Go on at once while there is more, for a while."""
    deadline = time.monotonic() + 1
    while purge() == chunk and time.monotonic() < deadline:
        pass


# What, and every how many seconds.
CHORES: list[tuple[Callable[[], None], float]] = [
    (rescue_far_future, 60.0),
    (compare_marks, 5.0),
    (purge_history, 60.0),
    (purge_accounts, 60.0),
    (purge_images, 60.0),
    (purge_imports, 60.0),
    (purge_idempotency_keys, 60.0),
    (compare_stores, 10.0),
    (replay_many, 2.0),
]


class Upkeep:
    """Runs each chore when its time has come. Needs an application context."""

    def __init__(self) -> None:
        self._next = {chore: 0.0 for chore, _seconds in CHORES}

    def run_due(self) -> None:
        """Run what is due; an outage postpones it."""
        for chore, seconds in CHORES:
            if time.monotonic() >= self._next[chore]:
                self._next[chore] = time.monotonic() + seconds
                self._run(chore)

    def _run(self, chore: Callable[[], None]) -> None:
        try:
            chore()
        except (*OUTAGES, ClientUnavailableError, RestoredError) as error:
            log.warning("put off", chore=chore.__name__, reason=str(error.__cause__ or error))
        except Exception:  # sending matters more than any chore
            log.exception("a chore failed", chore=chore.__name__)
        finally:
            db.session.remove()
