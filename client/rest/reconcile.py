"""What Admin alone may ask of the copy, signed: comparison and repair."""

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
    """Say the highest id and sequence, and how many products are held."""
    return asdict(extent())


@blp.route("/digests", methods=["POST"])
@service_only
@blp.arguments(DigestsQuerySchema)
@blp.response(200)
def show_digests(query: dict[str, Any]) -> Any:
    """Sum up the buckets of a range, and say how far that came."""
    return digests.summed(query["after"], query["upto"])


@blp.route("/entries", methods=["POST"])
@service_only
@blp.arguments(EntriesQuerySchema)
@blp.response(200)
def show_entries(query: dict[str, Any]) -> Any:
    """Show id, sequence and checksum of the products asked about."""
    return {"entries": contents.listed(query["ids"])}


@blp.route("/one", methods=["POST"])
@service_only
@blp.arguments(CopyQuerySchema)
@blp.response(200)
def show_one(query: dict[str, Any]) -> Any:
    """Show everything that is held of a product."""
    return {"copy": contents.one(query["id"])}


@blp.route("/repair", methods=["POST"])
@service_only
@blp.arguments(RepairsSchema)
@blp.response(200)
def repair_products(query: dict[str, Any]) -> Any:
    """Replace exactly what was seen; say what came of each."""
    repairs, outcomes = [], {}
    for item in query["repairs"]:
        try:
            repairs.append(Repair.decode(item))
        except InvalidMessageError as error:  # its neighbours are repaired
            failures.record(error)
            outcomes[item["id"]] = INVALID
    outcomes |= repair.repair(repairs)
    wanted.record(r.state for r in repairs if r.state and outcomes[r.id] != CHANGED)
    recount.correct([r.id for r in repairs if outcomes[r.id] != EQUAL])  # a copy that was lost has no count
    return {"outcomes": list(outcomes.items())}
