"""What a document of the copy says, in words that are compared and shown."""

from datetime import UTC, datetime

from bson import Decimal128

from client.replica.content import content_of


def test_content_is_read_as_the_contract_writes_it() -> None:
    changed = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
    document = {"_id": 1, "title": "Lamp", "price": Decimal128("39.90"), "updated_at": changed}
    assert content_of(document) == {"title": "Lamp", "price": "39.90", "updated_at": "2026-01-02T03:04:05.600Z"}


def test_value_of_a_type_that_is_never_written_is_shown_with_it() -> None:
    assert content_of({"title": 5, "price": "39.90"}) == {"title": "5 (int)", "price": "“39.90” (text)"}
