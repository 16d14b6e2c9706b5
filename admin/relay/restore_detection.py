"""A6, beside every question: marks that tell when either database came back older than it was.

Admin tells a mark with each question, a higher one once that was acknowledged, and the Client keeps the highest. A
Client that knows less than it acknowledged was restored from a backup; one that knows what Admin never said tells that
Admin was. Marks rise by steps that cannot be guessed, so that an Admin that came back does not happen to say again what
it said before. Either way proofs would be worthless: nothing is proven until ``recovery`` starts a new epoch. Questions
and answers may get lost: neither side's mark rises past what the other has yet to be told.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import case, select, update

from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from admin.outbox.client_gateway import Answer, client_gateway
from admin.outbox.models import SyncMark, SyncState

log = structlog.get_logger(__name__)

ADMIN, CLIENT = "admin", "client"  # whose database was restored
ANYTHING = -1  # acknowledged, after a recovery: whatever the Client keeps is right
MAX_STEP = 2**20  # a thousand questions a second for centuries fit into a BIGINT


class RestoredError(Exception):
    """One of the databases came back from a backup; see ``lockstep sync recover``."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was told with one question: ``acknowledged`` is what the Client must know at least; ``now`` the
    database's time before the question.
    """

    raised: int
    acknowledged: int
    epoch: int
    alarm: str | None
    now: datetime


def ask(product_ids: Sequence[int]) -> tuple[Answer, timedelta]:
    """Ask the Client what it holds; return its answer, and how far its clock is behind Admin's.

    Raises ClientUnavailableError; RestoredError while the answer proves nothing.
    """
    mark, began = _raise(), time.monotonic()
    answer = client_gateway().held(product_ids, mark=mark.raised, epoch=mark.epoch, acknowledged=mark.acknowledged)
    middle = mark.now + timedelta(seconds=(time.monotonic() - began) / 2)
    alarm = mark.alarm or _compare(mark, answer.mark)
    if alarm:
        raise RestoredError(f"the database of {alarm} was restored from a backup; run 'lockstep sync recover'")
    return answer, middle - answer.now


@retry_deadlocks
def _raise() -> Mark:
    """Commits before the Client is told: so Admin always knows at least what it said.

    A mark that was not acknowledged is told again. Were each question's higher, an Admin that was restored would soon
    say more than the Client knows, while that is away.
    """
    higher = SyncMark.raised + 1 + secrets.randbelow(MAX_STEP)
    db.session.execute(update(SyncMark).where(SyncMark.raised == SyncMark.acknowledged).values(raised=higher))
    columns = (SyncMark.raised, SyncMark.acknowledged, SyncState.epoch, SyncMark.alarm, utc_now())
    mark = Mark(*db.session.execute(select(*columns).join(SyncState, SyncState.id == SyncMark.id)).one())
    db.session.commit()
    return mark


@retry_deadlocks
def _compare(mark: Mark, known: int) -> str | None:
    """Return who was restored, None for nobody; ``known`` is the Client's highest mark before this question."""
    said = db.session.execute(select(SyncMark.raised)).scalar_one()  # another relay may have said more meanwhile
    never_said = known > said or ANYTHING < mark.acknowledged < known < mark.raised
    alarm = CLIENT if known < mark.acknowledged else ADMIN if never_said else None
    if alarm:
        log.error("a database was restored from a backup: nothing is proven until recovery", database=alarm)
        db.session.execute(update(SyncMark).values(alarm=alarm, alarm_since=utc_now()))
    else:
        higher = case((SyncMark.acknowledged < mark.raised, mark.raised), else_=SyncMark.acknowledged)
        db.session.execute(update(SyncMark).values(acknowledged=higher))
    db.session.commit()
    return alarm
