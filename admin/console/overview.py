"""The state of everything, put into words: computed when it is asked, like the status it is made of."""

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

REPAIRED_BY_RESYNC = ("missing", "stale", "ahead", "differing", "malformed")  # what only the Client has is for a person


class NothingToRepairError(ProblemError):
    status = HTTPStatus.CONFLICT


@dataclass(frozen=True, slots=True)
class Overview:
    """``advice`` is what to do about the oldest change that the Client lacks, empty where there is none."""

    status: Status
    parts: Sequence[Part]
    runs: Sequence[Progress]
    likes: int
    state: StateText
    advice: str


def overview() -> Overview:
    """Return the state of everything; takes some seconds at most, whoever does not answer."""
    status = replication.status()
    runs = [run for run in resync_runs.latest() if run.busy or run.run.requested_at >= status.now - replication.WINDOW]
    likes = db.session.execute(select(func.coalesce(func.sum(LikeCount.likes), 0))).scalar_one()
    db.session.rollback()
    found = parts(status)
    return Overview(status, found, runs, int(likes), STATE_TEXTS[status.state], _advice(status, found))


@retry_deadlocks
def repair_drift() -> int:
    """Have the relay recheck every product that drifted, where Admin's state may replace the copy; return how many.

    Raises NothingToRepairError.
    """
    query = select(Drift.product_id).where(Drift.confirmed_at.is_not(None), Drift.kind.in_(REPAIRED_BY_RESYNC))
    ids = list(db.session.execute(query).scalars())
    db.session.rollback()
    if not ids:
        raise NothingToRepairError("There is no drift that a resync would repair; run 'lockstep sync diff --repair'.")
    return resync.mark_pending(resync.Selection(ids=ids))


def _advice(status: Status, found: Sequence[Part]) -> str:
    """Name what holds up the oldest change, the nearest cause first."""
    if status.oldest is None:
        return ""
    if status.alarm:
        return "Nothing is verified until “lockstep sync recover” was run."
    if status.oldest.state == STUCK:
        return "The Client refuses it. Repair the product and save it, or resync it once the reason is gone."
    silent = [part for part in found if part.state != OK and part.advice]
    if silent:
        return f"{silent[0].name}: {silent[0].words}. {silent[0].advice}"
    if status.oldest.age < 60:
        return "It is on its way; nothing to do."
    return "Every part answers. It is sent again by itself; the queues say how much is before it."
