"""What staff see of a dead letter, and how they ask."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from contract.versions import MAX_SEQUENCE
from web.http.cursors import PageSchema

STATES = ("new", "replaying", "replayed", "discarded")


class FilterSchema(ma.Schema):
    """Which letters; a bulk change takes at most 500 of them at once."""

    state = fields.String(load_default=None, allow_none=False, validate=validate.OneOf(STATES))
    reason = fields.String(load_default="", validate=validate.Length(max=100), metadata={"description": "a part of it"})
    product = fields.Integer(load_default=None, allow_none=False, validate=validate.Range(1, MAX_SEQUENCE))


class ListQuerySchema(PageSchema, FilterSchema):
    @ma.post_load
    def _nest(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        where = {name: data.pop(name) for name in FilterSchema().fields}
        return {"where": where, **data}


class BulkSchema(FilterSchema):
    """The state must be named: a filter that got lost must not mean every dead letter."""

    state = fields.String(required=True, validate=validate.OneOf(STATES))


class AboutSchema(ma.Schema):
    id = fields.Integer()
    version = fields.Integer(allow_none=True, metadata={"description": "null where the message does not tell"})


class LetterSchema(ma.Schema):
    """A dead letter without its payload."""

    id = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    queue = fields.String(metadata={"description": "where it died"})
    exchange = fields.String()
    died_at = fields.String(metadata={"format": "date-time"})
    collected_at = fields.String(metadata={"format": "date-time"})
    cause = fields.String(metadata={"description": "the broker's: rejected, delivery_limit, expired"})
    reason = fields.String()
    task = fields.String()
    task_id = fields.String()
    products = fields.List(fields.Nested(AboutSchema))
    products_left_out = fields.Integer()
    payload_bytes = fields.Integer()
    by = fields.String(metadata={"description": "who brought it to its state"})
    at = fields.String(metadata={"format": "date-time", "description": "since when it is in its state"})
    error = fields.String(metadata={"description": "why its last replay did not work"})


class OneLetterSchema(LetterSchema):
    payload = fields.String()
    payload_encoding = fields.String(metadata={"description": "text or base64"})
    payload_cut = fields.Boolean(metadata={"description": "it is longer than what is kept"})


class LetterListSchema(ma.Schema):
    items = fields.List(fields.Nested(LetterSchema))
    next_cursor = fields.String(allow_none=True)
    counts = fields.Dict(
        keys=fields.String(), values=fields.Integer(), metadata={"description": "letters by state; 1000: that or more"}
    )
    collected_at = fields.String(
        allow_none=True, metadata={"format": "date-time", "description": "when the queue was last looked into"}
    )


class RefusalSchema(ma.Schema):
    id = fields.String()
    refused = fields.String(metadata={"description": "why"})


class BulkResultSchema(ma.Schema):
    accepted = fields.Integer()
    refused = fields.List(fields.Nested(RefusalSchema))
    more = fields.Boolean(metadata={"description": "there may be more of them: ask again"})
