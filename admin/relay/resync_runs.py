"""Resync runs: resyncs of many products that the relays carry out in the background.

The progress is stored with the run, so when a relay dies another one continues.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select

from admin.db.engine import any_row, retry_deadlocks, table, utc_now
from admin.db.extensions import db
from admin.outbox.models import Replication, ResyncRun
from admin.relay import resync
from admin.relay.resync import Selection
from runtime import correlation

log = structlog.get_logger(__name__)

ALL, STUCK = SCOPES = ("all", "stuck")
_SHOWN = 5  # runs


@dataclass(frozen=True, slots=True)
class Progress:
    """A run, and how many of the products that it made pending are not verified again yet."""

    run: ResyncRun
    pending: int

    @property
    def busy(self) -> bool:
        return self.run.finished_at is None or self.pending > 0

    @property
    def done(self) -> int:
        """How many of its products are verified again."""
        return max(self.run.marked - self.pending, 0)


@retry_deadlocks
def request(scope: str, by: str) -> ResyncRun:
    """Request a run over ``scope``; return it, or the one of this scope that is not finished yet."""
    running = select(ResyncRun).where(ResyncRun.finished_at.is_(None), ResyncRun.scope == scope)
    found = db.session.execute(running.order_by(ResyncRun.id).limit(1)).scalar_one_or_none()
    if found:
        db.session.rollback()
        return found
    total = db.session.execute(select(func.count()).select_from(_selection(scope).query().subquery())).scalar_one()
    run = ResyncRun(scope=scope, requested_by=by, total=total, marked=0, after_id=0, requested_at=utc_now())
    db.session.add(run)
    db.session.commit()
    log.info("resync requested", run=run.request_id, scope=scope, products=total)
    return run


_runs = table(ResyncRun).columns
_ANY = select(_runs.id).where(_runs.finished_at.is_(None)).limit(1)


@retry_deadlocks
def advance(limit: int = resync.CHUNK) -> bool:
    """Make the next products of the oldest unfinished run pending; return whether there was a run. Commits."""
    if not any_row(_ANY):  # an idle relay runs only this query, every two seconds
        return False
    unfinished = select(ResyncRun).where(ResyncRun.finished_at.is_(None)).order_by(ResyncRun.id).limit(1)
    lock = unfinished.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    run = db.session.execute(lock).scalar_one_or_none()
    if run is None:
        db.session.rollback()
        return False
    with correlation.under(run.request_id):
        ids = resync.mark_chunk(_selection(run.scope), run.after_id, limit)
        if ids:
            run.after_id, run.marked = ids[-1], run.marked + len(ids)
        else:
            run.finished_at = utc_now()
        db.session.commit()
        log.info("resync continued" if ids else "resync ended", run=run.id, products=len(ids))
    return True


@retry_deadlocks
def stop(run_id: int, by: str) -> None:
    """Stop a run; products that it made pending are still sent. A finished run stays as it is. Commits."""
    lock = select(ResyncRun).where(ResyncRun.id == run_id).with_for_update()
    run = db.session.execute(lock.execution_options(populate_existing=True)).scalar_one_or_none()
    if run and run.finished_at is None:
        run.finished_at, run.stopped_by = utc_now(), by
    db.session.commit()


def latest() -> Sequence[Progress]:
    """Return the latest runs, newest first."""
    runs = db.session.execute(select(ResyncRun).order_by(ResyncRun.id.desc()).limit(_SHOWN)).scalars().all()
    found = [Progress(run, _pending(run)) for run in runs]
    db.session.expunge_all()
    db.session.rollback()
    return found


def _pending(run: ResyncRun) -> int:
    """Return how many products up to the run's last are unverified, those changed since included."""
    if run.marked == 0:
        return 0
    query = select(func.count()).select_from(Replication)
    query = query.where(Replication.pending_since.is_not(None), Replication.product_id <= run.after_id)
    if run.finished_at:
        query = query.where(Replication.pending_since <= run.finished_at)
    return int(db.session.execute(query).scalar_one())


def _selection(scope: str) -> Selection:
    return Selection(stuck=scope == STUCK)
