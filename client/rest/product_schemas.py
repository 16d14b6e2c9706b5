"""Requests and answers about products over REST."""

from marshmallow import Schema, fields, validate

from client.replica.queries import SORTS
from contract.messages import MAX_IDS, format_time
from contract.product_rules import RULES
from contract.search_terms import SEARCH_DOC
from contract.versions import MAX_EPOCH, MAX_SEQUENCE, version_of
from web.http.api import ServiceSchema
from web.http.cursors import PageSchema
from web.http.fields import Text, Whole


class ProductSchema(Schema):
    id = fields.Integer()
    sku = fields.String()
    title = fields.String()
    description = fields.String()
    price = fields.Decimal(as_string=True, metadata={"type": "string", "example": "12.50"})
    currency = fields.String()
    category = fields.String()
    image_url = fields.String()
    version = fields.Function(lambda product: version_of(product.sequence), metadata={"type": "integer"})
    created_at = fields.Function(
        lambda product: format_time(product.created_at), metadata={"type": "string", "format": "date-time"}
    )
    updated_at = fields.Function(
        lambda product: format_time(product.updated_at), metadata={"type": "string", "format": "date-time"}
    )
    likes = fields.Integer()


class ProductListSchema(Schema):
    items = fields.List(fields.Nested(ProductSchema))
    next_cursor = fields.String(allow_none=True)


class ListQuerySchema(PageSchema):
    q = fields.String(load_default="", validate=validate.Length(max=100), metadata={"description": SEARCH_DOC})
    category = Text(RULES["category"], load_default=None, allow_none=False)
    sort = fields.String(
        load_default="-created_at",
        validate=validate.OneOf(SORTS),
        metadata={
            "description": "`-created_at` is stable: following the Link headers lists each product exactly once, "
            "unless it is created or deleted meanwhile. With `-likes`, a product whose count changes may be skipped or "
            "repeated."
        },
    )


class ReplicaStatesQuerySchema(ServiceSchema):
    """``generation`` and ``epoch`` are Admin's, ``acknowledged`` the last generation that the Client answered."""

    ids = fields.List(
        Whole(validate=validate.Range(-MAX_SEQUENCE - 1, MAX_SEQUENCE)),
        required=True,
        validate=validate.Length(max=MAX_IDS),
    )
    generation = Whole(load_default=0, validate=validate.Range(0, MAX_SEQUENCE))
    epoch = Whole(load_default=0, validate=validate.Range(0, MAX_EPOCH))
    acknowledged = Whole(load_default=0, validate=validate.Range(-1, MAX_SEQUENCE))
