"""Repairs drift without the broker: the Client replaces exactly the copy that was seen by Admin's current state."""

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
from admin.reconcile.client_copy import TIMEOUT_SECONDS
from admin.reconcile.compare import ORPHANED, Difference, compare_ids
from admin.reconcile.own_state import Own
from contract.digests import MAX_ID
from contract.names import BULK
from contract.service_calls import Repair


def repair(drift: Sequence[Difference]) -> set[int]:
    """Repair ``drift``, at most MAX_REPAIRS products; return the ids that still differ afterwards.

    The relay sends what Admin changes meanwhile. Raises ClientUnavailableError; repeating it is harmless.
    """
    orphans = [difference.id for difference in drift if difference.kind == ORPHANED]
    # The Client would never show a new product with a tombstone's id.
    reserve_ids(max((id_ for id_ in orphans if id_ <= MAX_ID), default=0))
    own = own_state.listed([difference.id for difference in drift if difference.kind != ORPHANED])
    repairs.repair((_repair(difference, own.get(difference.id)) for difference in drift), TIMEOUT_SECONDS)
    if own:
        _mark_pending(list(own))
    return {still.id for still in compare_ids([d.id for d in drift]) if _is_unrepaired(still, own.get(still.id))}


def _repair(difference: Difference, own: Own | None) -> Repair:
    return Repair(difference.id, difference.replica, own.message if own else None)


def _is_unrepaired(still: Difference, sent: Own | None) -> bool:
    """Return whether Admin's state is the one that was sent; a state changed since is on its way."""
    return still.own == (sent.entry if sent else None)


@retry_deadlocks
def _mark_pending(product_ids: Sequence[int]) -> None:
    """Make the products pending, with the checksums of their current content. Commits.

    Locks the products: after an edit in SQL, outside Lockstep, the row's checksum is corrected to the content.
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
