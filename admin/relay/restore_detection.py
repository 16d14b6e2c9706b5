"""Detects that either database was restored from a backup, with every call that verifies products.

Admin sends a generation with each call, and the Client stores the highest. Once the Client has acknowledged a
generation, Admin raises it. A Client that stores a lower generation than it acknowledged was restored; a Client that
stores one that Admin never sent shows that Admin was restored. Generations rise by random steps, so that a restored
Admin does not send the same one again by chance. After a restore, a verification would prove nothing: nothing is
verified until ``recovery`` starts a new epoch. Calls and answers may get lost: Admin raises its generation only after
the Client acknowledged the last one.
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
ANYTHING = -1  # acknowledged, after a recovery: any generation of the Client is accepted
MAX_STEP = 2**20  # a thousand calls a second for centuries fit into a BIGINT


class RestoredError(Exception):
    """One of the databases was restored from a backup; see ``lockstep sync recover``."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What is sent with a call; the Client must store at least ``acknowledged``. ``now`` is the time before it."""

    raised: int
    acknowledged: int
    epoch: int
    alarm: str | None
    now: datetime


def ask(product_ids: Sequence[int]) -> tuple[Answer, timedelta]:
    """Return the Client's replica states, and the offset that turns its clock's times into Admin's.

    Raises ClientUnavailableError; RestoredError while a database is restored and not recovered.
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
    """Return the generation to send, raised if the last one was acknowledged.

    Commits before the call, so that Admin stores every generation that it sent. If each call raised it, a restored
    Admin would soon pass the Client's while the Client is unreachable.
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
    """Return whose database was restored, if any; ``known`` is the Client's highest generation before this call."""
    sent = db.session.execute(select(SyncGeneration.raised)).scalar_one()  # maybe by another relay since
    never_sent = known > sent or ANYTHING < generation.acknowledged < known < generation.raised
    alarm = CLIENT if known < generation.acknowledged else ADMIN if never_sent else None
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
