"""REST for the Client: signed batches of likes, and comparisons of both sets of likes."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask.views import MethodView

from admin.likes import audit, service
from contract.messages import InvalidMessageError, LikeChanged, NewerMessageError
from contract.service_calls import INVALID, LIKES, MAX_LIKES, LikeOutcome
from contract.versions import MAX_SEQUENCE
from web.http.api import Blueprint, ServiceSchema
from web.http.fields import Whole
from web.http.problems import ProblemError
from web.security.signatures import service_only

blp = Blueprint("likes", __name__, url_prefix=LIKES, description="For the Client service only")

_BATCH = ma.validate.Length(min=1, max=MAX_LIKES)
_ID = ma.validate.Range(0, MAX_SEQUENCE)
_USER = ma.validate.Length(max=64)


class OlderThanClientError(ProblemError):
    """The likes need a newer Admin; they stay pending at the Client until the upgrade."""

    status = HTTPStatus.NOT_IMPLEMENTED


class LikeBatchSchema(ServiceSchema):
    """Each item is validated on its own, so that an invalid one does not fail the others."""

    likes = ma.fields.List(ma.fields.Raw(allow_none=True), required=True, validate=_BATCH)


class OutcomeSchema(ma.Schema):
    outcome = ma.fields.String()
    revision = ma.fields.Integer()
    liked = ma.fields.Boolean()
    reason = ma.fields.String()
    received_at = ma.fields.String(allow_none=True, metadata={"description": "of the superseding state"})


class OutcomesSchema(ma.Schema):
    outcomes = ma.fields.List(ma.fields.Nested(OutcomeSchema))


@blp.route("")
class Likes(MethodView):
    decorators = [service_only]

    @blp.arguments(LikeBatchSchema)
    @blp.response(200, OutcomesSchema)
    def post(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Store a batch of likes; returns an outcome for each, in the same order."""
        decoded = [_decode(raw) for raw in batch["likes"]]
        valid = [like for like in decoded if isinstance(like, LikeChanged)]
        applied = iter(service.apply_likes(valid) if valid else [])
        outcomes = [next(applied) if isinstance(item, LikeChanged) else item for item in decoded]
        return {"outcomes": [outcome.encode() for outcome in outcomes]}


def _decode(raw: Any) -> LikeChanged | LikeOutcome:
    try:
        return LikeChanged.decode(raw)
    except NewerMessageError as error:
        raise OlderThanClientError(f"Admin is too old for this like: {error.reason}.") from None
    except InvalidMessageError as error:
        return LikeOutcome(INVALID, reason=error.reason)


class RangeSchema(ma.Schema):
    """A range of likes, ordered by product and user: after one key, up to another or to the end."""

    after_product = ma.fields.Integer(load_default=0, validate=_ID)
    after_user = ma.fields.String(load_default="", validate=_USER)
    upto_product = ma.fields.Integer(load_default=None, validate=_ID)
    upto_user = ma.fields.String(load_default="", validate=_USER)


class KeySchema(ServiceSchema):
    product = Whole(required=True, validate=_ID)
    user = ma.fields.String(required=True, validate=_USER)


class KeysSchema(ServiceSchema):
    keys = ma.fields.List(ma.fields.Nested(KeySchema), required=True, validate=_BATCH)


class AfterSchema(ma.Schema):
    after = ma.fields.Integer(load_default=0, validate=_ID)


class RecountSchema(ServiceSchema):
    products = ma.fields.List(Whole(validate=_ID), required=True, validate=_BATCH)


@blp.route("/digest")
@service_only
@blp.arguments(RangeSchema, location="query")
@blp.response(200)
def digest(query: dict[str, Any]) -> dict[str, Any]:
    """Return the digest of a range of likes; null when the range is too large for one answer."""
    return {"digest": audit.digest(*_bounds(query))}


@blp.route("/range")
@service_only
@blp.arguments(RangeSchema, location="query")
@blp.response(200)
def likes_in_range(query: dict[str, Any]) -> dict[str, Any]:
    """Return the first likes of a range."""
    return {"likes": [stored.encode() for stored in audit.first_of(*_bounds(query))]}


@blp.route("/lookup", methods=["POST"])
@service_only
@blp.arguments(KeysSchema)
@blp.response(200)
def lookup(query: dict[str, Any]) -> dict[str, Any]:
    """Return the stored state of the given likes."""
    found = audit.stored([(key["product"], key["user"]) for key in query["keys"]])
    return {"likes": [stored.encode() for stored in found]}


@blp.route("/counts")
@service_only
@blp.arguments(AfterSchema, location="query")
@blp.response(200)
def wrong_counts(query: dict[str, Any]) -> dict[str, Any]:
    """Return the wrong counts among the next products, and the id to continue after."""
    wrong, further = audit.wrong_counts(query["after"])
    return {"wrong": [asdict(count) for count in wrong], "next": further}


@blp.route("/recount", methods=["POST"])
@service_only
@blp.arguments(RecountSchema)
@blp.response(200)
def recount(query: dict[str, Any]) -> dict[str, Any]:
    """Recount the likes of the given products."""
    audit.recount(query["products"])
    return {"recounted": len(query["products"])}


def _bounds(query: dict[str, Any]) -> tuple[audit.Key, audit.Key | None]:
    upto = None if query["upto_product"] is None else (query["upto_product"], query["upto_user"])
    return (query["after_product"], query["after_user"]), upto
