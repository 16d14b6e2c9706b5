"""The signed calls by which Admin lists, resyncs and discards dead letters."""

from collections.abc import Callable, Sequence
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from client.dead_letters import queries, service
from client.dead_letters.collect import collected_at
from client.dead_letters.documents import STATES
from client.dead_letters.queries import Filter
from contract.messages import format_time
from contract.service_calls import DEAD_LETTERS, MAX_COUNTED, MAX_DEAD_LETTERS
from contract.versions import MAX_SEQUENCE
from web.http.api import Blueprint, ServiceSchema
from web.http.fields import Flag, Whole
from web.security.signatures import service_only

blp = Blueprint("dead_letters", __name__, url_prefix=DEAD_LETTERS, description="For Admin only")


class WhereSchema(ma.Schema):
    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATES))
    reason = fields.String(load_default="", validate=validate.Length(max=100))
    product = Whole(load_default=None, allow_none=True, validate=validate.Range(1, MAX_SEQUENCE))
    with_products = Flag(load_default=False)

    @ma.post_load
    def _filter(self, data: dict[str, Any], **_: Any) -> Filter:
        return Filter(**data)


class QuerySchema(ServiceSchema):
    where = fields.Nested(WhereSchema, load_default=Filter)
    limit = Whole(required=True, validate=validate.Range(1, MAX_DEAD_LETTERS))
    after = fields.Tuple(
        (fields.AwareDateTime(), fields.String()),
        load_default=None,
        allow_none=True,
        metadata={
            "prefixItems": [{"type": "string", "format": "date-time"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
        },
    )


class OneSchema(ServiceSchema):
    id = fields.String(required=True, validate=validate.Length(max=64))


class ChangeSchema(ServiceSchema):
    """The dead letters to change are named one by one: a lost filter never means all."""

    ids = fields.List(
        fields.String(validate=validate.Length(1, 64)), required=True, validate=validate.Length(1, MAX_DEAD_LETTERS)
    )
    by = fields.String(required=True, validate=validate.Length(1, 254))


@blp.route("/query", methods=["POST"])
@service_only
@blp.arguments(QuerySchema)
@blp.response(200)
def query(asked: dict[str, Any]) -> Any:
    """List dead letters, newest first, with the number in each state and the time of the last collection."""
    collected = collected_at()
    found = [queries.show(item) for item in queries.find(asked["where"], asked["limit"], asked["after"])]
    counts = queries.counts(MAX_COUNTED)
    return {"dead_letters": found, "counts": counts, "collected_at": format_time(collected) if collected else None}


@blp.route("/show", methods=["POST"])
@service_only
@blp.arguments(OneSchema)
@blp.response(200)
def show(asked: dict[str, Any]) -> Any:
    """Show one dead letter with its payload; null when there is none."""
    try:
        found = queries.get(asked["id"])
    except queries.NotFoundError:
        return {"dead_letter": None}
    return {"dead_letter": queries.show(found) if found["_id"] == asked["id"] else None}


@blp.route("/resync", methods=["POST"])
@service_only
@blp.arguments(ChangeSchema)
@blp.response(200)
def resync(asked: dict[str, Any]) -> Any:
    """Record that Admin made the products of these dead letters pending; return an outcome for each found."""
    return _change(asked, service.record_resync)


@blp.route("/discard", methods=["POST"])
@service_only
@blp.arguments(ChangeSchema)
@blp.response(200)
def discard(asked: dict[str, Any]) -> Any:
    """Discard these dead letters; return an outcome for each found."""
    return _change(asked, service.discard)


def _change(
    asked: dict[str, Any], change: Callable[[Sequence[dict[str, Any]], str], service.Refusals]
) -> dict[str, Any]:
    found = queries.by_ids(asked["ids"])
    refusals = change(found, asked["by"])
    return {"outcomes": [{"id": item["_id"], "refused": refusals.get(item["_id"], "")} for item in found]}
