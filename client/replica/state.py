"""The replica states that Admin's relay asks for when it verifies."""

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

    The checksum is computed from the content. Reads use the primary with majority concern, because a state that a
    failover could roll back must not be verified.
    """
    if not product_ids:
        return []
    copies = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    failures = SyncFailure._get_collection().with_options(read_concern=MAJORITY)
    found = {id_of(doc) or 0: doc for doc in by_ids(copies, product_ids, FIELDS)}
    refused = {id_of(doc) or 0: doc for doc in by_ids(failures, product_ids)}
    return [_state(id_, found.get(id_), refused.get(id_, {})) for id_ in found.keys() | refused.keys()]


def exchange_generations(generation: int, epoch: int, acknowledged: int = 0) -> int:
    """Store the highest generation and epoch that Admin sent; return the highest generation stored before.

    From it Admin detects that one of the two databases was restored from a backup (admin.relay.restore_detection). The
    generation is raised only while it equals ``acknowledged``, by compare-and-set: this answer may get lost, and a
    restore must be reported until Admin has read it. A negative ``acknowledged`` follows a recovery and stores the
    generation unconditionally.
    """
    generations = database()["sync_generations"].with_options(read_concern=MAJORITY)
    while True:
        found = generations.find_one({"_id": _GENERATIONS})
        known, known_epoch = (_number(found, name) for name in ("generation", "epoch"))
        new = {
            "generation": generation if acknowledged < 0 or acknowledged == known else known,
            "epoch": max(epoch, known_epoch),
        }
        new["generation"] = max(new["generation"], known)
        if found is None:
            stored = _insert(generations, new)
        elif new == {"generation": known, "epoch": known_epoch}:
            return known
        else:
            seen = {"_id": _GENERATIONS, **{name: {"$eq": found.get(name)} for name in ("generation", "epoch")}}
            stored = bool(generations.update_one(seen, {"$set": new}).matched_count)
        if stored:
            return known


def _number(found: dict[str, Any] | None, name: str) -> int:
    """Return a number of the document, 0 where it is missing or malformed."""
    value = (found or {}).get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _insert(generations: Collection, new: dict[str, int]) -> bool:
    try:
        generations.insert_one({"_id": _GENERATIONS, **new})
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
