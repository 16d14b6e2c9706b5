"""The overview: the replication's status, its parts, and advice for the oldest change. Computed for each request."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from sqlalchemy import func, select

from admin.console.parts import OK, Part, parts
from admin.db.engine import retry_deadlocks
from admin.db.extensions import db
from admin.likes.models import LikeCount
from admin.monitoring import status as replication
from admin.monitoring.state_texts import STATE_TEXTS, StateText
from admin.monitoring.status import Status
from admin.outbox.models import STUCK
from admin.reconcile.models import Drift
from admin.relay import resync, resync_runs
from admin.relay.resync_runs import Progress
from web.http.problems import ProblemError

REPAIRED_BY_RESYNC = ("missing", "stale", "ahead", "differing", "malformed")  # orphaned copies need a person


class NothingToRepairError(ProblemError):
    status = HTTPStatus.CONFLICT


@dataclass(frozen=True, slots=True)
class Overview:
    """``advice`` says what to do about the oldest change that the Client lacks, empty without one."""

    status: Status
    parts: Sequence[Part]
    runs: Sequence[Progress]
    likes: int
    state: StateText
    advice: str


def overview() -> Overview:
    """Return the overview. Takes some seconds at most, also while other parts do not answer."""
    status = replication.status()
    runs = [run for run in resync_runs.latest() if run.busy or run.run.requested_at >= status.now - replication.WINDOW]
    likes = db.session.execute(select(func.coalesce(func.sum(LikeCount.likes), 0))).scalar_one()
    db.session.rollback()
    found = parts(status)
    return Overview(status, found, runs, int(likes), STATE_TEXTS[status.state], _advice(status, found))


@retry_deadlocks
def repair_drift() -> int:
    """Mark every drifted product pending whose copy Admin's state may replace; return how many.

    Raises NothingToRepairError.
    """
    query = select(Drift.product_id).where(Drift.confirmed_at.is_not(None), Drift.kind.in_(REPAIRED_BY_RESYNC))
    ids = list(db.session.execute(query).scalars())
    db.session.rollback()
    if not ids:
        raise NothingToRepairError("A resync cannot repair this drift. Run 'lockstep sync diff --repair'.")
    return resync.mark_pending(resync.Selection(ids=ids))


def _advice(status: Status, found: Sequence[Part]) -> str:
    """Return what to do about the oldest change: the most direct cause that is known."""
    if status.oldest is None:
        return ""
    if status.alarm:
        return "Nothing is verified until you run “lockstep sync recover”."
    if status.oldest.state == STUCK:
        return "This change is stuck. Correct and save the product, or resync it once the cause is fixed."
    silent = [part for part in found if part.state != OK and part.advice]
    if silent:
        return f"{silent[0].name}: {silent[0].text}. {silent[0].advice}"
    if status.oldest.age < 60:
        return "This change is on its way. You need not do anything."
    return "Every part answers. This change is sent again automatically, after the messages queued before it."
