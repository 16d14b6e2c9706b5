"""What Admin alone may ask of the copy, signed: comparison, repair, rebuild."""

from http import HTTPStatus
from typing import Any

from client.products import failures
from client.reconcile import contents, digests, fresh_copy, rebuild, repair
from client.reconcile.extent import extent
from client.reconcile.schemas import (
    CountLikesSchema,
    DigestsQuerySchema,
    EntriesQuerySchema,
    FillSchema,
    OneHeldSchema,
    RebuildStepSchema,
    RepairsSchema,
)
from tasks.digests import Entry
from tasks.messages import InvalidMessageError, ProductChanged
from web.api import Blueprint
from web.problems import ProblemError
from web.signatures import service_only

blp = Blueprint("reconcile", __name__, url_prefix="/service/v1/products", description="For Admin only")


class InvalidStateError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


@blp.route("/extent", methods=["POST"])
@service_only
@blp.response(200)
def show_extent() -> Any:
    """Say the highest id and ver, and how many products are held."""
    return extent()


@blp.route("/digests", methods=["POST"])
@service_only
@blp.arguments(DigestsQuerySchema)
@blp.response(200)
def show_digests(query: dict[str, Any]) -> Any:
    """Sum up the buckets of a range, and say how far that came."""
    return digests.summed(query["after"], query["upto"], query["copy"])


@blp.route("/entries", methods=["POST"])
@service_only
@blp.arguments(EntriesQuerySchema)
@blp.response(200)
def show_entries(query: dict[str, Any]) -> Any:
    """Show id, ver and checksum of the products asked about."""
    return {"entries": contents.listed(query["ids"], query["copy"])}


@blp.route("/one", methods=["POST"])
@service_only
@blp.arguments(OneHeldSchema)
@blp.response(200)
def show_one(query: dict[str, Any]) -> Any:
    """Show everything that is held of a product."""
    return {"held": contents.one(query["id"])}


@blp.route("/repair", methods=["POST"])
@service_only
@blp.arguments(RepairsSchema)
@blp.response(200)
def repair_products(query: dict[str, Any]) -> Any:
    """Replace exactly what was seen; say what came of each."""
    repairs, outcomes = [], {}
    for item in query["repairs"]:
        try:
            repairs.append(_repair(item))
        except InvalidMessageError as error:  # its neighbours are repaired
            failures.note(error)
            outcomes[item["id"]] = repair.INVALID
    return {"outcomes": list((outcomes | repair.repair(repairs)).items())}


@blp.route("/rebuild/begin", methods=["POST"])
@service_only
@blp.response(200)
def begin_rebuild() -> Any:
    """Start an empty copy beside the live one, unless another rebuild is under way (token null)."""
    return {"token": rebuild.begin()}


@blp.route("/rebuild/fill", methods=["POST"])
@service_only
@blp.arguments(FillSchema)
@blp.response(200)
def fill_copy(query: dict[str, Any]) -> Any:
    """Write a page of states into the fresh copy."""
    return {"ok": rebuild.fill(query["token"], [_state(state) for state in query["states"]])}


@blp.route("/rebuild/hold", methods=["POST"])
@service_only
@blp.arguments(RebuildStepSchema)
@blp.response(200)
def hold_rebuild(query: dict[str, Any]) -> Any:
    """Go on writing to both copies while Admin is busy comparing them."""
    return {"ok": fresh_copy.renew(query["token"])}


@blp.route("/rebuild/count", methods=["POST"])
@service_only
@blp.arguments(CountLikesSchema)
@blp.response(200)
def count_likes(query: dict[str, Any]) -> Any:
    """Make the next products' counts of likes right; ``reached`` is null after the last."""
    ok, reached = rebuild.count_likes(query["token"], query["after"])
    return {"ok": ok, "reached": reached}


@blp.route("/rebuild/swap", methods=["POST"])
@service_only
@blp.arguments(RebuildStepSchema)
@blp.response(200)
def swap_copies(query: dict[str, Any]) -> Any:
    """Put the fresh copy in the live one's place."""
    return {"ok": rebuild.swap(query["token"])}


@blp.route("/rebuild/end", methods=["POST"])
@service_only
@blp.arguments(RebuildStepSchema)
@blp.response(200)
def end_rebuild(query: dict[str, Any]) -> Any:
    """Remove what is left of a rebuild, finished or given up."""
    return {"ok": rebuild.end(query["token"])}


def _repair(item: dict[str, Any]) -> repair.Repair:
    seen = Entry(item["id"], item["seen"]["ver"], item["seen"]["checksum"]) if item["seen"] else None
    state = None if item["state"] is None else ProductChanged.decode(item["state"])
    if state is not None and state.id != item["id"]:
        raise InvalidMessageError("the state is another product's")
    return repair.Repair(item["id"], seen, state)


def _state(raw: Any) -> ProductChanged:
    try:
        return ProductChanged.decode(raw)
    except InvalidMessageError as error:
        raise InvalidStateError(f"The state of product {error.product_id} is not valid: {error.reason}.") from None
