"""Repairs copies that a comparison found wrong. A copy that changed since the comparison is left as it is."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog

from client.replica import apply, failures
from client.replica.content import FIELDS, entry_of, id_of
from client.replica.contents import listed
from client.replica.documents import ProductCopy
from client.store import bulk_write, by_ids
from contract.digests import Entry
from contract.service_calls import CHANGED, EQUAL, REPAIRED, Repair

log = structlog.get_logger(__name__)


def repair(repairs: Sequence[Repair]) -> dict[int, str]:
    """Carry out ``repairs``, one per product; return the outcome of each id, read afterwards."""
    ids = [r.id for r in repairs]
    before = {id_of(doc): doc for doc in by_ids(ProductCopy._get_collection(), ids, FIELDS)}
    apply.apply([r.state for r in repairs if r.state and r.id not in before])
    # A copy that is already equal is not written: the message may have arrived meanwhile.
    wrong = [r for r in repairs if r.id in before and r.seen != r.wanted_entry]
    seen = [(r, before[r.id]) for r in wrong if entry_of(before[r.id]) == r.seen]
    if seen:
        writes = [apply.overwrite(r.wanted, apply.exactly(document)) for r, document in seen]
        bulk_write(ProductCopy._get_collection(), writes)
        failures.clear({r.id: r.wanted.sequence for r, _document in seen})
    after = {entry.id: entry for entry in listed(ids)}
    outcomes = {r.id: _outcome(r, before.get(r.id), after.get(r.id)) for r in repairs}
    log.info("copies repaired", outcomes=dict(Counter(outcomes.values())), product_ids=ids[:20])
    return outcomes


def _outcome(repair: Repair, before: dict[str, Any] | None, after: Entry | None) -> str:
    if after != repair.wanted_entry:
        return CHANGED
    return EQUAL if before and entry_of(before) == repair.wanted_entry else REPAIRED
