"""Resync: fetches products' current states from Admin and makes the copies equal to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pymongo import UpdateOne

from client.admin_gateway import AdminGateway
from client.replica import apply, failures
from client.replica.content import FIELDS, entry_of, id_of, problem_in
from client.replica.documents import ProductCopy
from client.store import bulk_write, by_ids
from contract import causation
from contract.messages import ProductChanged

log = structlog.get_logger(__name__)

SHOWN = 20  # unknown ids in a log line


@dataclass(frozen=True, slots=True)
class Resynced:
    """Admin's ``states``, and the ids that Admin never had (``unknown``)."""

    states: Sequence[ProductChanged]
    unknown: list[int]


def resync(gateway: AdminGateway, product_ids: Sequence[int]) -> Resynced:
    """Make the copies of ``product_ids`` equal to Admin's states, deleted ones too; return Admin's answer.

    Equal copies are not written. An invalid state is refused alone and its reason recorded. Raises
    AdminUnavailableError, and pymongo's errors when the store does not answer.
    """
    # Read before asking Admin: a copy that is not older than the answer, and differs from it, is wrong.
    seen = {id_of(doc): doc for doc in by_ids(ProductCopy._get_collection(), product_ids, FIELDS)}
    states, refused = gateway.product_states(product_ids)
    apply.apply(states)
    _repair([apply.overwrite(s, apply.exactly(seen[s.id])) for s in states if _differs(seen.get(s.id), s)])
    for error in refused:
        log.warning("message refused", reason=error.reason, product_id=error.product_id, sequence=error.sequence)
        failures.record(error)
    answered = {state.id for state in states} | {error.product_id for error in refused}
    unknown = sorted(set(product_ids) - answered)
    causation.log_items(log, "resynced", states)
    if unknown:
        log.warning("Admin never had these products; nothing was changed", products=unknown[:SHOWN], count=len(unknown))
    return Resynced(states, unknown)


def _differs(seen: Any, state: ProductChanged) -> bool:
    """Return whether ``seen`` is wrong but not older: malformed, ahead of Admin, or with other content."""
    if seen is None:
        return False
    entry = entry_of(seen)
    return problem_in(seen) is not None or (
        entry.sequence >= state.sequence and entry[1:] != (state.sequence, state.checksum)
    )


def _repair(operations: list[UpdateOne]) -> None:
    if operations:
        bulk_write(ProductCopy._get_collection(), operations)
