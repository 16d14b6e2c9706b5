"""A6, the Client's side: what is held of the products that Admin asks about."""

from collections.abc import Sequence
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from client.replica.content import FIELDS, applied_at_of, checksum_of, failure_of, id_of, problem_in, sequence_of
from client.replica.documents import ProductCopy, SyncFailure
from client.store import MAJORITY, by_ids, database
from contract.service_calls import ReplicaState

_GENERATIONS = "admin"  # the id of the one document of ``sync_generations``


def replica_states(product_ids: Sequence[int]) -> list[ReplicaState]:
    """Return the state of each product that is stored or was refused; other ids are missing.

    The checksum is made from the content that is there, not read from beside it. Read from the primary with
    majority concern: what a failover could roll back is not verified.
    """
    if not product_ids:
        return []
    copies = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    failures = SyncFailure._get_collection().with_options(read_concern=MAJORITY)
    found = {id_of(doc) or 0: doc for doc in by_ids(copies, product_ids, FIELDS)}
    refused = {id_of(doc) or 0: doc for doc in by_ids(failures, product_ids)}
    return [_state(id_, found.get(id_), refused.get(id_, {})) for id_ in found.keys() | refused.keys()]


def exchange_generations(generation: int, epoch: int, acknowledged: int = 0) -> int:
    """Keep the highest generation and epoch that Admin ever told; return the highest generation kept before.

    Admin sees from it whether this store was restored from a backup, or its own was (admin.relay.restore_detection).
    Nothing may hide a restore before Admin has learnt of it. So the generation stays while it differs from
    ``acknowledged``, as this answer may get lost, and it is written by compare-and-set. A negative ``acknowledged``
    follows a recovery: then the generation is stored whatever is known.
    """
    generations = database()["sync_generations"].with_options(read_concern=MAJORITY)
    while True:
        found = generations.find_one({"_id": _GENERATIONS})
        known, known_epoch = (_number(found, name) for name in ("generation", "epoch"))
        told = {
            "generation": generation if acknowledged < 0 or acknowledged == known else known,
            "epoch": max(epoch, known_epoch),
        }
        told["generation"] = max(told["generation"], known)
        if found is None:
            kept = _first(generations, told)
        elif told == {"generation": known, "epoch": known_epoch}:
            return known
        else:
            seen = {"_id": _GENERATIONS, **{name: {"$eq": found.get(name)} for name in ("generation", "epoch")}}
            kept = bool(generations.update_one(seen, {"$set": told}).matched_count)
        if kept:
            return known


def _number(found: dict[str, Any] | None, name: str) -> int:
    """Return a number of the document's; what a hand made of it counts as 0, as in an empty store."""
    value = (found or {}).get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _first(generations: Collection, told: dict[str, int]) -> bool:
    try:
        generations.insert_one({"_id": _GENERATIONS, **told})
    except DuplicateKeyError:
        return False
    return True


def _state(product_id: int, copy: dict[str, Any] | None, failure: dict[str, Any]) -> ReplicaState:
    failed_sequence, reason = failure_of(failure)
    return ReplicaState(
        id=product_id,
        sequence=sequence_of(copy) if copy else 0,
        checksum=checksum_of(copy) if copy else "",
        applied_at=applied_at_of(copy) if copy else None,
        failed_sequence=failed_sequence,
        failure=reason,
        problem=problem_in(copy) if copy else None,
    )
