"""Products of imports and batches are validated as the schemas do it, on a shorter way."""

from typing import Any

import marshmallow as ma
import pytest

from admin.catalogue import validation
from admin.catalogue.models import CONTENT_FIELDS, Product, ProductRow
from admin.catalogue.schemas import ChangesSchema, ContentSchema
from admin.db.engine import table
from tests.unit.admin.catalogue import CONTENT

# Each with a value of a product, valid or not.
ONE_FIELD: list[tuple[str, Any]] = [
    *[("sku", value) for value in ("A", "a.b_c-1", "", "-1", "a b", "ä", "x" * 64, "x" * 65, "A\n", None, 7, b"A")],
    *[
        ("title", value)
        for value in (" Red mug\r\n", "", " ", "a\tb", "\u200b", "Tasse 🍵", "\ud800", "x" * 201, [], None)
    ],
    *[("description", value) for value in ("", "a\r\nb\rc", "\x00", " x ", "y" * 10_000, "y" * 10_001, None, True)],
    *[("price", value) for value in ("0", "12.5", "12.50", "1.005", "1e3", "-1", "", " 1", "1\n", "٣", 12.5, 1)],
    *[("price", value) for value in ("9999999999.99", "10000000000", "1.23456", "NaN", "Infinity", None)],
    *[("currency", value) for value in ("EUR", "JPY", "KWD", "eur", "XXX", "", None, 978)],
    *[("category", value) for value in ("Kitchen ", "", "x" * 81, None)],
    *[("image_url", value) for value in ("", "/a.png", "https://example.com/a", "javascript:1", "/images/x", None)],
    *[("colour", "red"), ("", ""), ("id", 1)],
]
RECORDS: list[Any] = [
    CONTENT,
    *({**CONTENT, name: value} for name, value in ONE_FIELD),
    *({key: value for key, value in CONTENT.items() if key != name} for name in CONTENT),
    {**CONTENT, "currency": "JPY", "price": "12"},
    {**CONTENT, "currency": "KWD", "price": "12.505"},
    *([], None, "text", 5, {}),
]


def outcome(load: Any, record: Any) -> Any:
    try:
        return load(record)
    except ma.ValidationError as error:
        return error.messages


@pytest.mark.parametrize("record", RECORDS, ids=repr)
def test_content_is_what_the_schema_makes_of_it(record: Any) -> None:
    schema = ContentSchema(partial=tuple(validation.DEFAULTS))
    assert outcome(validation.content, record) == outcome(schema.load, record)


@pytest.mark.parametrize("record", [*RECORDS, *({name: value} for name, value in ONE_FIELD)], ids=repr)
def test_changes_are_what_the_schema_makes_of_them(record: Any) -> None:
    assert outcome(validation.changes, record) == outcome(ChangesSchema().load, record)


def test_prices_keep_the_form_in_which_they_are_stored() -> None:
    assert str(validation.content({**CONTENT, "price": "1"})["price"]) == "1.0000"


def test_rows_have_the_columns_of_the_table_in_their_order() -> None:
    assert ProductRow._fields == tuple(table(Product).columns.keys())
    assert set(CONTENT_FIELDS) < set(ProductRow._fields)
