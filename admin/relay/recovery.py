"""Recovers after either database was restored from a backup: starts a new epoch and sends every product again in it.

Every state of the new epoch is newer than any before. So it overwrites copies that are newer than Admin's restored
backup, and adds those that the Client's restored backup lacks. The shop stays filled meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, literal, select, update

from admin.catalogue.ids import reserve_ids
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from admin.outbox.client_gateway import client_gateway, readable_answer
from admin.outbox.models import Replication, SyncGeneration, SyncState
from admin.outbox.outbox import pending_again
from admin.relay.restore_detection import ANYTHING
from admin.relay.resync import CHUNK
from contract.names import BULK
from contract.service_calls import PRODUCTS, Extent
from contract.versions import compose, epoch_of

TIMEOUT_SECONDS = 60.0  # seconds: the Client may read its whole copy


@dataclass(frozen=True, slots=True)
class Recovery:
    """The epoch that began, and the number of products that are sent again."""

    epoch: int
    products: int


def recover(progress: Callable[[int], None] = lambda _done: None) -> Recovery:
    """Start an epoch above both sides', make every product pending in it, and end the alarm.

    Repeating it, also after an interruption, starts another epoch, which is harmless. Raises ClientUnavailableError.
    """
    answer = client_gateway().ask(f"{PRODUCTS}/extent", {}, TIMEOUT_SECONDS)
    with readable_answer():
        extent = Extent.decode(answer)
    epoch = _raise_epoch(epoch_of(extent.highest_sequence))
    reserve_ids(extent.highest_id)
    # Tells the Client the epoch; it then forwards all likes again.
    known = client_gateway().replica_states([], epoch=epoch).generation
    products, last_id = 0, 0
    while ids := _renumber(epoch, last_id):
        products, last_id = products + len(ids), ids[-1]
        progress(products)
    _end_alarm(known)
    return Recovery(epoch, products)


@retry_deadlocks
def _raise_epoch(clients: int) -> int:
    """Raise the epoch, after waiting for the writers that use the old one; return the new one."""
    state = db.session.execute(select(SyncState).with_for_update()).scalar_one()
    state.epoch = max(state.epoch, clients) + 1
    db.session.commit()
    return state.epoch


@retry_deadlocks
def _renumber(epoch: int, after: int) -> list[int]:
    """Move the next rows to ``epoch``; rows written meanwhile have it already. Return their ids."""
    base, step = compose(epoch, 0), compose(1, 0)
    query = select(Replication.product_id).where(Replication.product_id > after, Replication.sequence < base)
    ids = list(db.session.execute(query.order_by(Replication.product_id).limit(CHUNK).with_for_update()).scalars())
    if ids:
        now = db.session.execute(select(utc_now())).scalar_one()
        renumbered = literal(base) + Replication.sequence % step
        values = pending_again(now, BULK) | {"sequence": renumbered, "verified_sequence": 0}
        db.session.execute(update(Replication).where(Replication.product_id.in_(ids)).values(**values))
    db.session.commit()
    return ids


@retry_deadlocks
def _end_alarm(known: int) -> None:
    """End the alarm, with a generation at least as high as both sides'."""
    raised = select(func.max(SyncGeneration.raised)).scalar_subquery()
    highest = max(known, db.session.execute(select(raised)).scalar_one())
    db.session.execute(
        update(SyncGeneration).values(raised=highest, acknowledged=ANYTHING, alarm=None, alarm_since=None)
    )
    db.session.commit()
