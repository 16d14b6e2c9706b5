"""Detects that either database was restored from a backup. Part of every question that verification asks.

Admin sends a generation with each question, and the Client stores the highest. Once the Client has acknowledged a
generation, Admin raises it. A Client that knows a lower generation than it acknowledged was restored; a Client that
knows one that Admin never sent shows that Admin was. Generations rise by random steps, so that a restored Admin does
not repeat by chance what it sent before. After a restore, verification would be worthless: nothing is verified until
``recovery`` starts a new epoch. Questions and answers may get lost: neither side's generation rises past what the
other has not received yet.
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
from admin.outbox.models import SyncGeneration, SyncState

log = structlog.get_logger(__name__)

ADMIN, CLIENT = "admin", "client"  # whose database was restored
ANYTHING = -1  # acknowledged, after a recovery: whatever the Client keeps is right
MAX_STEP = 2**20  # a thousand questions a second for centuries fit into a BIGINT


class RestoredError(Exception):
    """One of the databases came back from a backup; see ``lockstep sync recover``."""


@dataclass(frozen=True, slots=True)
class Generation:
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
    generation, began = _raise(), time.monotonic()
    answer = client_gateway().replica_states(
        product_ids, generation=generation.raised, epoch=generation.epoch, acknowledged=generation.acknowledged
    )
    middle = generation.now + timedelta(seconds=(time.monotonic() - began) / 2)
    alarm = generation.alarm or _compare(generation, answer.generation)
    if alarm:
        raise RestoredError(f"the database of {alarm} was restored from a backup; run 'lockstep sync recover'")
    return answer, middle - answer.now


@retry_deadlocks
def _raise() -> Generation:
    """Commits before the Client is told: so Admin always knows at least what it said.

    A generation that was not acknowledged is sent again. If each question raised it, a restored Admin would soon be
    past what the Client knows while the Client cannot be reached.
    """
    higher = SyncGeneration.raised + 1 + secrets.randbelow(MAX_STEP)
    db.session.execute(
        update(SyncGeneration).where(SyncGeneration.raised == SyncGeneration.acknowledged).values(raised=higher)
    )
    columns = (SyncGeneration.raised, SyncGeneration.acknowledged, SyncState.epoch, SyncGeneration.alarm, utc_now())
    generation = Generation(
        *db.session.execute(select(*columns).join(SyncState, SyncState.id == SyncGeneration.id)).one()
    )
    db.session.commit()
    return generation


@retry_deadlocks
def _compare(generation: Generation, known: int) -> str | None:
    """Return who was restored, None for nobody; ``known`` is the Client's highest generation before this question."""
    said = db.session.execute(select(SyncGeneration.raised)).scalar_one()  # another relay may have said more meanwhile
    never_said = known > said or ANYTHING < generation.acknowledged < known < generation.raised
    alarm = CLIENT if known < generation.acknowledged else ADMIN if never_said else None
    if alarm:
        log.error("a database was restored from a backup: nothing is verified until recovery", database=alarm)
        db.session.execute(update(SyncGeneration).values(alarm=alarm, alarm_since=utc_now()))
    else:
        higher = case(
            (SyncGeneration.acknowledged < generation.raised, generation.raised), else_=SyncGeneration.acknowledged
        )
        db.session.execute(update(SyncGeneration).values(acknowledged=higher))
    db.session.commit()
    return alarm
