"""Admin's signed calls to compare and repair the copy."""

from dataclasses import asdict
from typing import Any

from client.images import wanted
from client.likes import recount
from client.replica import contents, digests, failures, repair
from client.replica.extent import extent
from client.rest.reconcile_schemas import (
    CopyQuerySchema,
    DigestsQuerySchema,
    EntriesQuerySchema,
    RepairsSchema,
)
from contract.messages import InvalidMessageError
from contract.service_calls import CHANGED, EQUAL, INVALID, PRODUCTS, Repair
from web.http.api import Blueprint
from web.security.signatures import service_only

blp = Blueprint("reconcile", __name__, url_prefix=PRODUCTS, description="For Admin only")


@blp.route("/extent", methods=["POST"])
@service_only
@blp.response(200)
def show_extent() -> Any:
    """Show the highest id and sequence, and the number of live and deleted products."""
    return asdict(extent())


@blp.route("/digests", methods=["POST"])
@service_only
@blp.arguments(DigestsQuerySchema)
@blp.response(200)
def show_digests(query: dict[str, Any]) -> Any:
    """Show the digests of the buckets in a range, and the last id they cover."""
    return digests.bucket_digests(query["after"], query["upto"])


@blp.route("/entries", methods=["POST"])
@service_only
@blp.arguments(EntriesQuerySchema)
@blp.response(200)
def show_entries(query: dict[str, Any]) -> Any:
    """Show id, sequence and checksum of the given products."""
    return {"entries": contents.listed(query["ids"])}


@blp.route("/one", methods=["POST"])
@service_only
@blp.arguments(CopyQuerySchema)
@blp.response(200)
def show_one(query: dict[str, Any]) -> Any:
    """Show all that is stored of a product."""
    return {"copy": contents.one(query["id"])}


@blp.route("/repair", methods=["POST"])
@service_only
@blp.arguments(RepairsSchema)
@blp.response(200)
def repair_products(query: dict[str, Any]) -> Any:
    """Replace copies that are still as they were seen; return an outcome for each."""
    repairs, outcomes = [], {}
    for item in query["repairs"]:
        try:
            repairs.append(Repair.decode(item))
        except InvalidMessageError as error:  # the others are repaired
            failures.record(error)
            outcomes[item["id"]] = INVALID
    outcomes |= repair.repair(repairs)
    wanted.record(r.state for r in repairs if r.state and outcomes[r.id] != CHANGED)
    recount.correct([r.id for r in repairs if outcomes[r.id] != EQUAL])  # a copy that was missing has no count
    return {"outcomes": list(outcomes.items())}
