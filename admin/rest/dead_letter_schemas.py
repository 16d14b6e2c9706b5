"""Requests and answers about dead letters over REST."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from contract.versions import MAX_SEQUENCE
from web.http.cursors import PageSchema

STATES = ("open", "resynced", "discarded")


class FilterSchema(ma.Schema):
    """Selects dead letters; a bulk change affects at most 500 of them."""

    state = fields.String(load_default=None, allow_none=False, validate=validate.OneOf(STATES))
    reason = fields.String(load_default="", validate=validate.Length(max=100), metadata={"description": "part of it"})
    product = fields.Integer(load_default=None, allow_none=False, validate=validate.Range(1, MAX_SEQUENCE))


class ListQuerySchema(PageSchema, FilterSchema):
    @ma.post_load
    def _nest(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        where = {name: data.pop(name) for name in FilterSchema().fields}
        return {"where": where, **data}


class BulkSchema(FilterSchema):
    """The state is required: a lost filter must not select every dead letter."""

    state = fields.String(required=True, validate=validate.OneOf(STATES))


class DeadLetterProductSchema(ma.Schema):
    id = fields.Integer()
    version = fields.Integer(allow_none=True, metadata={"description": "null where the message has none"})


class DeadLetterSchema(ma.Schema):
    """A dead letter without its payload."""

    id = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    queue = fields.String(metadata={"description": "that the message was in"})
    exchange = fields.String()
    died_at = fields.String(metadata={"format": "date-time"})
    collected_at = fields.String(metadata={"format": "date-time"})
    cause = fields.String(metadata={"description": "the broker's: rejected, delivery_limit, expired"})
    reason = fields.String()
    task = fields.String()
    task_id = fields.String()
    products = fields.List(fields.Nested(DeadLetterProductSchema))
    products_left_out = fields.Integer()
    payload_bytes = fields.Integer()
    by = fields.String(metadata={"description": "who changed the state"})
    at = fields.String(metadata={"format": "date-time", "description": "when the state changed"})


class OneDeadLetterSchema(DeadLetterSchema):
    payload = fields.String()
    payload_encoding = fields.String(metadata={"description": "text or base64"})
    payload_cut = fields.Boolean(metadata={"description": "true where only its beginning is stored"})


class DeadLetterListSchema(ma.Schema):
    items = fields.List(fields.Nested(DeadLetterSchema))
    next_cursor = fields.String(allow_none=True)
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "dead letters by state; 1000 means 1000 or more"},
    )
    collected_at = fields.String(
        allow_none=True, metadata={"format": "date-time", "description": "time of the last collection from the broker"}
    )


class RefusalSchema(ma.Schema):
    id = fields.String()
    refused = fields.String(metadata={"description": "the reason"})


class BulkResultSchema(ma.Schema):
    accepted = fields.Integer()
    refused = fields.List(fields.Nested(RefusalSchema))
    more = fields.Boolean(metadata={"description": "there may be more: repeat the request"})
