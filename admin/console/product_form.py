"""What staff typed about a product: checked as the API does, and compared with what somebody else saved meanwhile."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma

from admin.catalogue.models import CONTENT_FIELDS, Product
from admin.catalogue.schemas import ContentSchema
from contract.currencies import price_text
from web.http.problems import flatten

LABELS = {
    "title": "Title",
    "sku": "SKU",
    "price": "Price",
    "currency": "Currency",
    "category": "Category",
    "description": "Description",
    "image_url": "Image",
}
EMPTY = "Fill this in."
YOURS, THEIRS = "yours", "theirs"


@dataclass(frozen=True, slots=True)
class ProductForm:
    """``values`` are as typed; ``content`` is what they mean, None where ``errors`` say what is wrong with which."""

    values: dict[str, str]
    content: dict[str, Any] | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def refused(self, errors: Sequence[Mapping[str, str]]) -> "ProductForm":
        """Return this form with what the service found wrong."""
        found = {error["field"]: f"{LABELS.get(error['field'], '')} {error['detail']}".strip() for error in errors}
        return ProductForm(self.values, None, found)


@dataclass(frozen=True, slots=True)
class Choice:
    """One field that two people may have changed: ``base`` is what both began with, "" where that is not known."""

    name: str
    base: str
    theirs: str
    yours: str

    @property
    def same(self) -> bool:
        return self.theirs == self.yours

    @property
    def picked(self) -> str:
        """What is chosen to begin with: who changed it; yours where both did."""
        return THEIRS if self.yours == self.base else YOURS

    @property
    def both(self) -> bool:
        """Whether both changed it, each to something else."""
        return not self.same and self.base not in (self.theirs, self.yours)


def shown(product: Product) -> dict[str, str]:
    """Return a product's fields as a form holds them."""
    fields = {name: getattr(product, name) for name in CONTENT_FIELDS}
    return {**fields, "price": price_text(product.price, product.currency)}


def read(sent: Mapping[str, str]) -> ProductForm:
    """Read what a form sent: the fields, or for each the side that was picked in a conflict."""
    values = {name: _tidy(name, _value(sent, name)) for name in CONTENT_FIELDS}
    try:
        return ProductForm(values, ContentSchema().load(values))
    except ma.ValidationError as error:
        errors = {item["field"]: item["detail"] for item in reversed(list(flatten(error.messages)))}
        return ProductForm(values, None, {name: errors[name] if values[name] else EMPTY for name in errors})


def changes(form: ProductForm, base: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form's user changed: the content of those fields that hold something else than ``base``, which
    they were opened with. What a browser's field cannot hold, such as a line break in a title, is no change.
    """
    content = form.content or {}
    return {name: value for name, value in content.items() if form.values[name] != _tidy(name, base[name])}


def base_of(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the fields as they were when the form was opened."""
    return {name: _tidy(name, sent.get(f"base_{name}", "")) for name in CONTENT_FIELDS}


def choices(form: ProductForm, base: Mapping[str, str], current: Product) -> list[Choice]:
    """Set what was typed beside what is there now, field by field, in the order of LABELS."""
    theirs = shown(current)
    return [Choice(name, base[name], _tidy(name, theirs[name]), form.values[name]) for name in LABELS]


def _value(sent: Mapping[str, str], name: str) -> str:
    side = sent.get(f"pick_{name}")
    return sent.get(f"{side}_{name}" if side in (YOURS, THEIRS) else name, "")


def _tidy(name: str, text: str) -> str:
    """Return ``text`` as the form's field holds it. Browsers send CR LF, and leave line breaks out of one-line fields;
    people type spaces around, a comma in prices, and currencies in small letters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if name != "description":
        text = text.replace("\n", "")
    if name == "price" and re.fullmatch(r"[0-9]+,[0-9]{1,2}", text):
        return text.replace(",", ".")
    return text.upper() if name == "currency" else text
