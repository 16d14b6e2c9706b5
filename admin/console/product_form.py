"""The form of a product: validated as in the API, and compared with a version that was saved in the meantime."""

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
    """``values`` are as typed; ``content`` is the validated result, None when ``errors`` names wrong fields."""

    values: dict[str, str]
    content: dict[str, Any] | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def refused(self, errors: Sequence[Mapping[str, str]]) -> "ProductForm":
        """Return this form with the errors that the service found."""
        found = {error["field"]: f"{LABELS.get(error['field'], '')} {error['detail']}".strip() for error in errors}
        return ProductForm(self.values, None, found)


@dataclass(frozen=True, slots=True)
class Choice:
    """One field in two versions: ``base`` is the value that both started from, "" where it is unknown."""

    name: str
    base: str
    theirs: str
    yours: str

    @property
    def same(self) -> bool:
        return self.theirs == self.yours

    @property
    def picked(self) -> str:
        """Return the preselected side: the one that changed the field; yours where both did."""
        return THEIRS if self.yours == self.base else YOURS

    @property
    def both(self) -> bool:
        """Return whether both changed it, to different values."""
        return not self.same and self.base not in (self.theirs, self.yours)


def shown(product: Product) -> dict[str, str]:
    """Return a product's fields as the form shows them."""
    fields = {name: getattr(product, name) for name in CONTENT_FIELDS}
    return {**fields, "price": price_text(product.price, product.currency)}


def read(sent: Mapping[str, str]) -> ProductForm:
    """Read a submitted form: the fields, or the side that was chosen for each in a conflict."""
    values = {name: _tidy(name, _value(sent, name)) for name in CONTENT_FIELDS}
    try:
        return ProductForm(values, ContentSchema().load(values))
    except ma.ValidationError as error:
        errors = {item["field"]: item["detail"] for item in reversed(list(flatten(error.messages)))}
        return ProductForm(values, None, {name: errors[name] if values[name] else EMPTY for name in errors})


def changes(form: ProductForm, base: Mapping[str, str]) -> dict[str, Any]:
    """Return the changed fields: those that differ from ``base``, the values that the form was opened with.

    Characters that the browser's field drops, such as a line break in a title, are no change.
    """
    content = form.content or {}
    return {name: value for name, value in content.items() if form.values[name] != _tidy(name, base[name])}


def base_of(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the values that the form was opened with."""
    return {name: _tidy(name, sent.get(f"base_{name}", "")) for name in CONTENT_FIELDS}


def choices(form: ProductForm, base: Mapping[str, str], current: Product) -> list[Choice]:
    """Return each field as typed and as saved now, in the order of LABELS."""
    theirs = shown(current)
    return [Choice(name, base[name], _tidy(name, theirs[name]), form.values[name]) for name in LABELS]


def _value(sent: Mapping[str, str], name: str) -> str:
    side = sent.get(f"pick_{name}")
    return sent.get(f"{side}_{name}" if side in (YOURS, THEIRS) else name, "")


def _tidy(name: str, text: str) -> str:
    """Return ``text`` normalised. Browsers send CR LF and drop line breaks in one-line fields; people type spaces
    around it, a comma in prices, and currencies in lower case.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if name != "description":
        text = text.replace("\n", "")
    if name == "price" and re.fullmatch(r"[0-9]+,[0-9]{1,2}", text):
        return text.replace(",", ".")
    return text.upper() if name == "currency" else text
