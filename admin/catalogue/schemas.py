"""Schemas of products in REST: the JSON that is returned, and the input that is accepted."""

import re
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from contract.currencies import CODES, MAX_DECIMALS, price_text, too_exact
from contract.messages import MAX_IDS, format_time
from contract.product_rules import NO_CONTROLS, NO_CONTROLS_ERROR, RULES
from contract.search_terms import SEARCH_DOC
from contract.versions import MAX_SEQUENCE
from web.http.api import ServiceSchema
from web.http.cursors import PageSchema
from web.http.fields import PatchSchema, Text, Whole

PRICE = re.compile(rf"[0-9]{{1,10}}(?:\.[0-9]{{1,{MAX_DECIMALS}}})?\Z")
STABLE = "id"
SORTS = (STABLE, "-updated_at", "updated_at", "sku", "title", "price", "-price")


class _Price(fields.Decimal):
    """A decimal string. Floats are refused as inexact; the currency sets the number of decimals."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not PRICE.match(value):
            raise ma.ValidationError('Must be a decimal string such as "12.50".')
        return round(super()._deserialize(value, attr, data, **kwargs), MAX_DECIMALS)  # equal prices get one form


class ContentSchema(ma.Schema):
    """The fields of a product that staff may set."""

    class Meta:
        unknown = ma.RAISE

    sku = Text(RULES["sku"], required=True)
    title = Text(RULES["title"], required=True, metadata={"example": "Red mug"})
    description = Text(RULES["description"], load_default="")
    price = _Price(
        required=True, as_string=True, metadata={"type": "string", "pattern": PRICE.pattern, "example": "12.50"}
    )
    currency = fields.String(
        required=True,
        validate=validate.OneOf(sorted(CODES), error="Must be the code of a currency (ISO 4217), such as EUR."),
        metadata={"example": "EUR"},
    )
    category = Text(RULES["category"], required=True, metadata={"example": "Kitchen"})
    image_url = Text(RULES["image_url"], load_default="")

    @ma.validates_schema(skip_on_field_errors=False)
    def _exact(self, data: dict[str, Any], **_: Any) -> None:
        if data.keys() >= {"price", "currency"} and (wrong := too_exact(data["price"], data["currency"])):
            raise ma.ValidationError(wrong, "price")


class ChangesSchema(ContentSchema, PatchSchema):
    """A merge patch (RFC 7396) of a product: absent fields stay."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "partial": True})
        for field in self.fields.values():
            field.allow_none = not field.required

    @ma.post_load
    def _removed(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Replace null by the default of an optional field (RFC 7396)."""
        return {name: self.fields[name].load_default if value is None else value for name, value in data.items()}


MOMENT = {"type": "string", "format": "date-time"}


class ProductSchema(ma.Schema):
    id = fields.Integer()
    sku = fields.String()
    title = fields.String()
    description = fields.String()
    price = fields.Function(
        lambda product: price_text(product.price, product.currency), metadata={"type": "string", "example": "12.50"}
    )
    currency = fields.String()
    category = fields.String()
    image_url = fields.String()
    version = fields.Integer()
    created_at = fields.Function(lambda product: format_time(product.created_at), metadata=MOMENT)
    updated_at = fields.Function(lambda product: format_time(product.updated_at), metadata=MOMENT)
    likes = fields.Integer(dump_default=0)  # a new product has none


class ProductListSchema(ma.Schema):
    items = fields.List(fields.Nested(ProductSchema))
    next_cursor = fields.String(allow_none=True)


class StatesQuerySchema(ServiceSchema):
    ids = fields.List(
        Whole(validate=validate.Range(0, MAX_SEQUENCE)), required=True, validate=validate.Length(1, MAX_IDS)
    )


class ListQuerySchema(PageSchema):
    q = fields.String(
        load_default="",
        validate=[validate.Length(max=100), validate.Regexp(NO_CONTROLS, error=NO_CONTROLS_ERROR)],
        metadata={"description": SEARCH_DOC},
    )
    category = Text(RULES["category"], load_default=None, allow_none=False)
    sort = fields.String(
        load_default=STABLE,
        validate=validate.OneOf(SORTS),
        metadata={
            "description": "Only `id` is stable: following the Link headers returns a product exactly once if it "
            "exists from the first page to the last. In any other order a product whose value changes may be skipped "
            "or repeated."
        },
    )
