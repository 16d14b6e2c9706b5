"""Schemas of product batches. Items are described here and checked one by one (admin.catalogue.batch_items)."""

from typing import Any

import marshmallow as ma

from admin.catalogue.batch import MAX_ITEMS, UNCHANGED
from admin.catalogue.batch_items import ANY, CREATE, DELETE, MAX_ID, UPDATE
from admin.catalogue.bulk import CREATED, DELETED, UPDATED
from contract.names import BULK, INTERACTIVE
from contract.product_rules import RULES
from web.http.api import FieldProblemSchema, ProblemSchema
from web.http.fields import Text

RESULTS = (CREATED, UPDATED, UNCHANGED, DELETED)
_VERSION = {
    "description": f"The version that you read, or `{ANY}` for any version (decision 33).",
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_ID}, {"type": "string", "enum": [ANY]}],
}
_TARGET = {
    "id": {"type": "integer", "minimum": 1, "maximum": MAX_ID},
    "sku": {"type": "string", "maxLength": RULES["sku"].longest, "pattern": RULES["sku"].pattern},
    "version": _VERSION,
}


def _item(action: str, required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    named = {"action": {"type": "string", "enum": [action]}, **properties}
    described = {"type": "object", "required": ["action", *required], "properties": named}
    by_either = {} if action == CREATE else {"oneOf": [{"required": ["id"]}, {"required": ["sku"]}]}
    return {**described, "additionalProperties": False, **by_either}


_ITEM = {
    "oneOf": [
        _item(CREATE, ("product",), product={"$ref": "#/components/schemas/Content"}),
        _item(UPDATE, ("version", "product"), **_TARGET, product={"$ref": "#/components/schemas/Changes"}),
        _item(DELETE, ("version",), **_TARGET),
    ]
}
_MUG = {"title": "Red mug", "price": "12.50", "currency": "EUR", "category": "Kitchen"}
EXAMPLE = {
    "items": [
        {"action": CREATE, "product": {"sku": "MUG-2", **_MUG}},
        {"action": UPDATE, "sku": "MUG-1", "version": 3, "product": {"price": "9.90"}},
        {"action": DELETE, "id": 52, "version": ANY},
    ]
}


class BatchSchema(ma.Schema):
    items = ma.fields.List(
        ma.fields.Raw(metadata=_ITEM),
        required=True,
        validate=ma.validate.Length(1, MAX_ITEMS),
        metadata={"description": "Each product, and each new sku, in one item at most; their order does not matter."},
    )


class Switch(ma.fields.Boolean):
    """true or false in a query."""

    truthy, falsy = {"true"}, {"false"}


class BatchQuerySchema(ma.Schema):
    atomic = Switch(
        load_default=False,
        metadata={"description": "true: where an item cannot be carried out, none is, and the answer is 422."},
    )
    lane = ma.fields.String(
        load_default=INTERACTIVE,
        validate=ma.validate.OneOf((INTERACTIVE, BULK)),
        metadata={"description": "bulk: reach the shop like an import, behind the changes of editors."},
    )


class ItemProblemSchema(ma.Schema):
    title = ma.fields.String()
    status = ma.fields.Integer()
    detail = ma.fields.String()
    errors = ma.fields.List(
        ma.fields.Nested(FieldProblemSchema), metadata={"description": "fields by their path in the item"}
    )


class ItemOutcomeSchema(ma.Schema):
    """What became of one item: the product's id, sku and new version, or the problem."""

    index = ma.fields.Integer(metadata={"description": "of the item, from 0"})
    status = ma.fields.Integer(metadata={"description": "HTTP status that the item alone would have had"})
    result = ma.fields.String(validate=ma.validate.OneOf(RESULTS))
    id = ma.fields.Integer()
    sku = Text(RULES["sku"])
    version = ma.fields.Integer()
    etag = ma.fields.String(metadata={"description": "for If-Match; of a delete, for its undo", "example": '"1"'})
    problem = ma.fields.Nested(ItemProblemSchema)


class BatchResultSchema(ma.Schema):
    """The outcome of each item, in the order of the request, and their numbers by result."""

    items = ma.fields.List(ma.fields.Nested(ItemOutcomeSchema))
    created = ma.fields.Integer()
    updated = ma.fields.Integer()
    unchanged = ma.fields.Integer()
    deleted = ma.fields.Integer()
    refused = ma.fields.Integer()


class BatchProblemSchema(ProblemSchema):
    """``items`` are the refused ones of an atomic batch."""

    class Meta:
        fields = (*ProblemSchema.Meta.fields, "items")

    items = ma.fields.List(ma.fields.Nested(ItemOutcomeSchema))
