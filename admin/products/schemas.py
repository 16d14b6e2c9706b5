"""What a product looks like from outside, and what is accepted."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import marshmallow as ma
from marshmallow import fields, validate

from tasks.messages import MAX_IDS, format_time
from web.cursors import PageSchema
from web.images import digest_in, is_ours

# C0 and C1 controls except tab and line breaks: nothing that a page or a terminal would trip over.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
MAX_PRICE = Decimal("9999999999.99")
SORTS = ("-updated_at", "updated_at", "sku", "title", "price", "-price")


def _plain_text(text: str) -> None:
    if _CONTROLS.search(text):
        raise ma.ValidationError("Must not contain control characters.")


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ma.ValidationError("Must not be blank.")


def _image_url(text: str) -> None:
    if is_ours(text):
        if not digest_in(text):
            raise ma.ValidationError("Must be the whole address that the upload of an image answered.")
        return
    if not text or re.fullmatch(r"/[A-Za-z0-9_~.-][A-Za-z0-9_~./-]*", text):
        return
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or re.search(r"[\s\"'<>\\]", text):
        raise ma.ValidationError("Must be an http:// or https:// URL, or a path on this site that starts with /.")


class _Price(fields.Decimal):
    """A decimal string with at most two digits after the point; floats are refused, they are not exact."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,2})?", value):
            raise ma.ValidationError('Must be a decimal string such as "12.50", with at most two decimals.')
        return super()._deserialize(value, attr, data, **kwargs).quantize(Decimal("0.01"))


class ContentSchema(ma.Schema):
    """What staff may set."""

    class Meta:
        unknown = ma.RAISE

    sku = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
            error="Must be 1 to 64 letters, digits, '.', '_' or '-', and start with a letter or digit.",
        ),
    )
    title = fields.String(required=True, validate=[validate.Length(1, 200), _not_blank, _plain_text])
    description = fields.String(load_default="", validate=[validate.Length(max=10_000), _plain_text])
    price = _Price(required=True, as_string=True, metadata={"example": "12.50"})
    currency = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Z]{3}\Z", error="Must be a three-letter code (ISO 4217), such as EUR."),
    )
    category = fields.String(required=True, validate=[validate.Length(1, 80), _not_blank, _plain_text])
    image_url = fields.String(load_default="", validate=[validate.Length(max=1000), _plain_text, _image_url])


class ChangesSchema(ContentSchema):
    """A merge patch (RFC 7396) of a product: what is absent stays."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "partial": True})

    @ma.validates_schema
    def _something(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ma.ValidationError("Send at least one field to change.")


class ProductSchema(ma.Schema):
    id = fields.Integer()
    sku = fields.String()
    title = fields.String()
    description = fields.String()
    price = fields.Decimal(places=2, as_string=True)
    currency = fields.String()
    category = fields.String()
    image_url = fields.String()
    version = fields.Integer()
    created_at = fields.Function(lambda product: format_time(product.created_at), metadata={"format": "date-time"})
    updated_at = fields.Function(lambda product: format_time(product.updated_at), metadata={"format": "date-time"})
    likes = fields.Integer()


class ProductListSchema(ma.Schema):
    items = fields.List(fields.Nested(ProductSchema))
    next_cursor = fields.String(allow_none=True)


class StatesQuerySchema(ma.Schema):
    ids = fields.List(fields.Integer(strict=True), required=True, validate=validate.Length(1, MAX_IDS))


class ListQuerySchema(PageSchema):
    q = fields.String(load_default="", validate=[validate.Length(max=100), _plain_text])
    category = fields.String(load_default=None, validate=[validate.Length(1, 80), _plain_text])
    sort = fields.String(load_default="-updated_at", validate=validate.OneOf(SORTS))
