"""After either database was restored from a backup: a new epoch, in which Admin tells everything anew.

Every state sent in it is newer than any sent before, so what the Client holds from a future that Admin forgot is
overwritten, and what the Client forgot comes back. The shop stays as it is meanwhile, never empty.
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

PATIENCE = 60.0  # seconds: the Client may read all that it holds


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was done: the epoch that began, and how many products are told anew."""

    epoch: int
    products: int


def recover(progress: Callable[[int], None] = lambda _done: None) -> Recovery:
    """Begin a new epoch above both sides' and mark every product pending in it; the alarm ends.

    Interrupted or repeated, it begins yet another epoch: harmless. Raises ClientUnavailableError.
    """
    answer = client_gateway().ask(f"{PRODUCTS}/extent", {}, PATIENCE)
    with readable_answer():
        extent = Extent.decode(answer)
    epoch = _raise_epoch(epoch_of(extent.highest_sequence))
    reserve_ids(extent.highest_id)
    # The Client learns of the epoch, and has its shoppers' likes told anew.
    known = client_gateway().replica_states([], epoch=epoch).generation
    products, last_id = 0, 0
    while ids := _renumber(epoch, last_id):
        products, last_id = products + len(ids), ids[-1]
        progress(products)
    _end_alarm(known)
    return Recovery(epoch, products)


@retry_deadlocks
def _raise_epoch(clients: int) -> int:
    """Waits for the writers that still use the old epoch; the next ones use the new."""
    state = db.session.execute(select(SyncState).with_for_update()).scalar_one()
    state.epoch = max(state.epoch, clients) + 1
    db.session.commit()
    return state.epoch


@retry_deadlocks
def _renumber(epoch: int, after: int) -> list[int]:
    """Bring the next rows into ``epoch``; those written meanwhile are in it already."""
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
    """Start the marks above everything either side ever said."""
    raised = select(func.max(SyncGeneration.raised)).scalar_subquery()
    highest = max(known, db.session.execute(select(raised)).scalar_one())
    db.session.execute(
        update(SyncGeneration).values(raised=highest, acknowledged=ANYTHING, alarm=None, alarm_since=None)
    )
    db.session.commit()
