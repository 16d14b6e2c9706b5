"""Resyncs of many products, carried out by the relays: whoever asked may go, and come back to see how far it is.

What is kept says where it stands, so a relay that dies leaves its run to the next one.
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

ALL, STUCK = WHATS = ("all", "stuck")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """A run, and how many of what it marked are not verified again yet."""

    run: ResyncRun
    pending: int

    @property
    def busy(self) -> bool:
        return self.run.finished_at is None or self.pending > 0

    @property
    def done(self) -> int:
        """How many products are marked and verified again."""
        return max(self.run.marked - self.pending, 0)


@retry_deadlocks
def request(what: str, by: str) -> ResyncRun:
    """Have every product of ``what`` sent again. One that is asked for while it runs is the same one."""
    running = select(ResyncRun).where(ResyncRun.finished_at.is_(None), ResyncRun.what == what)
    found = db.session.execute(running.order_by(ResyncRun.id).limit(1)).scalar_one_or_none()
    if found:
        db.session.rollback()
        return found
    total = db.session.execute(select(func.count()).select_from(_selection(what).query().subquery())).scalar_one()
    run = ResyncRun(what=what, by=by, total=total, marked=0, after_id=0, requested_at=utc_now())
    db.session.add(run)
    db.session.commit()
    log.info("resync requested", run=run.request_id, what=what, products=total)
    return run


_runs = table(ResyncRun).columns
_ANY = select(_runs.id).where(_runs.finished_at.is_(None)).limit(1)


@retry_deadlocks
def go_on(limit: int = resync.CHUNK) -> bool:
    """Mark the next ``limit`` of the oldest run that is not finished; return whether there was one. Commits."""
    if not any_row(_ANY):  # all that an idle relay asks, every other second
        return False
    unfinished = select(ResyncRun).where(ResyncRun.finished_at.is_(None)).order_by(ResyncRun.id).limit(1)
    lock = unfinished.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    run = db.session.execute(lock).scalar_one_or_none()
    if run is None:
        db.session.rollback()
        return False
    with correlation.under(run.request_id):
        ids = resync.mark_chunk(_selection(run.what), run.after_id, limit)
        if ids:
            run.after_id, run.marked = ids[-1], run.marked + len(ids)
        else:
            run.finished_at = utc_now()
        db.session.commit()
        log.info("resync marked" if ids else "resync ended", run=run.id, products=len(ids))
    return True


@retry_deadlocks
def stop(run_id: int, by: str) -> None:
    """Mark no more; what is marked already is looked after. A run that is finished stays as it is. Commits."""
    lock = select(ResyncRun).where(ResyncRun.id == run_id).with_for_update()
    run = db.session.execute(lock.execution_options(populate_existing=True)).scalar_one_or_none()
    if run and run.finished_at is None:
        run.finished_at, run.stopped_by = utc_now(), by
    db.session.commit()


def latest() -> Sequence[Progress]:
    """Return the runs of the last while, newest first."""
    runs = db.session.execute(select(ResyncRun).order_by(ResyncRun.id.desc()).limit(_SHOWN)).scalars().all()
    found = [Progress(run, _unproven(run)) for run in runs]
    db.session.expunge_all()
    db.session.rollback()
    return found


def _unproven(run: ResyncRun) -> int:
    """What was changed since counts too: it is not verified either."""
    if run.marked == 0:
        return 0
    query = select(func.count()).select_from(Replication)
    query = query.where(Replication.pending_since.is_not(None), Replication.product_id <= run.after_id)
    if run.finished_at:
        query = query.where(Replication.pending_since <= run.finished_at)
    return int(db.session.execute(query).scalar_one())


def _selection(what: str) -> Selection:
    return Selection(stuck=what == STUCK)
