"""Repairing drift: the Client replaces exactly what was seen by what Admin says now. Works without the broker."""

from collections.abc import Sequence

from sqlalchemy import select

from admin.catalogue.ids import reserve_ids
from admin.catalogue.models import Product
from admin.db.engine import retry_deadlocks, upsert, utc_now
from admin.db.extensions import db
from admin.outbox import repair as repairs
from admin.outbox.models import FRESH, Replication
from admin.outbox.outbox import pending_again
from admin.reconcile import own_state
from admin.reconcile.client_copy import PATIENCE
from admin.reconcile.compare import ORPHANED, Difference, look
from admin.reconcile.own_state import Own
from contract.digests import MAX_ID
from contract.names import BULK
from contract.service_calls import Repair


def repair(drift: Sequence[Difference]) -> set[int]:
    """Repair ``drift``, at most BATCH products; return the ids that a look afterwards still finds different.

    What Admin changes meanwhile is the relay's. Raises ClientUnavailableError; doing it again is harmless.
    """
    orphans = [difference.id for difference in drift if difference.kind == ORPHANED]
    # A product that got a tombstone's id would never be seen.
    reserve_ids(max((id_ for id_ in orphans if id_ <= MAX_ID), default=0))
    own = own_state.listed([difference.id for difference in drift if difference.kind != ORPHANED])
    repairs.repair((_repair(difference, own.get(difference.id)) for difference in drift), PATIENCE)
    if own:
        _mark(list(own))
    return {still.id for still in look([d.id for d in drift]) if _is_ours(still, own.get(still.id))}


def _repair(difference: Difference, own: Own | None) -> Repair:
    return Repair(difference.id, difference.held, own.message if own else None)


def _is_ours(still: Difference, sent: Own | None) -> bool:
    """A product that Admin changed since is under way."""
    return still.own == (sent.entry if sent else None)


@retry_deadlocks
def _mark(product_ids: Sequence[int]) -> None:
    """Have the relay prove these, by the checksums of the content that is there. Commits.

    Under the products' locks: after an edit in SQL, past our back, the row's checksum is corrected to the content.
    """
    lock = select(Product.id).where(Product.id.in_(product_ids)).order_by(Product.id).with_for_update()
    db.session.execute(lock).all()
    now = db.session.execute(select(utc_now())).scalar_one()
    messages = [own.message for own in own_state.read(product_ids)]
    fresh = [
        {
            "product_id": message.id,
            "sequence": message.sequence,
            "checksum": message.checksum,
            "verified_sequence": 0,
            "pending_since": now,
            "lane": BULK,
            "state": FRESH,
            "due_at": now,
            "attempts": 0,
        }
        for message in messages
    ]
    if fresh:
        db.session.execute(
            upsert(Replication, fresh, lambda new: {"checksum": new.checksum, **pending_again(now, BULK)})
        )
    db.session.commit()
