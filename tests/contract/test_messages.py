"""The stored JSON of each message is read by today's code, and what today's code writes is what was stored.

A sample is never edited: a change that breaks one needs a new version of the message.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from contract.messages import InvalidMessageError, LikeChanged, NewerMessageError, ProductChanged, ProductContent

SAMPLES = Path(__file__).parent / "samples"
DECODERS = {"product.changed.v1": ProductChanged, "like.changed.v1": LikeChanged}


def samples() -> list[Path]:
    return sorted(SAMPLES.glob("*.json"))


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_stored_message_is_read_and_written_unchanged(path: Path) -> None:
    stored = load(path)
    assert DECODERS[stored["type"]].decode(stored).encode() == stored


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_message_of_a_newer_sender_with_more_fields_is_read(path: Path) -> None:
    newer = {**load(path), "added_later": {"anything": 1}}
    if newer.get("product") and isinstance(newer["product"], dict):
        newer["product"] = {**newer["product"], "added_later": "x"}
    assert DECODERS[newer["type"]].decode(newer).encode() == load(path)


def test_there_is_a_sample_of_every_message_type() -> None:
    assert {load(path)["type"] for path in samples()} == set(DECODERS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "product.changed.v2"}, "type"),
        ({"id": "42"}, "id"),
        ({"id": True}, "id"),
        ({"id": 0}, "id"),
        ({"sequence": 1.5}, "sequence"),
        ({"sequence": 2**63}, "sequence"),
        ({"deleted": 0}, "deleted"),
        ({"product": None}, "product"),
        ({"product": []}, "product"),
        ({"checksum": "0" * 32}, "checksum"),
    ],
)
def test_broken_product_message_is_refused_with_a_reason_that_names_the_field(
    change: dict[str, Any], reason: str
) -> None:
    broken = {**load(SAMPLES / "product.changed.v1.json"), **change}
    with pytest.raises(InvalidMessageError, match=reason):
        ProductChanged.decode(broken)


@pytest.mark.parametrize("field", ["sku", "title", "price", "created_at"])
def test_product_message_lacking_a_field_names_it_and_its_product(field: str) -> None:
    broken = load(SAMPLES / "product.changed.v1.json")
    del broken["product"][field]
    with pytest.raises(InvalidMessageError, match=field) as caught:
        ProductChanged.decode(broken)
    assert (caught.value.product_id, caught.value.sequence) == (42, 3)


@pytest.mark.parametrize(
    ("price", "currency", "reason"),
    [
        ("1250", "JPY", None),
        ("1250.00", "JPY", "product.price must be a decimal string with 0 digits after the point"),
        ("1.250", "KWD", None),
        ("1.25", "KWD", "product.price must be a decimal string with 3 digits after the point"),
        ("12.5", "EUR", "product.price must be a decimal string with 2 digits after the point"),
        ("12.50", "ABC", "product.currency must be the code of a currency"),
    ],
)
def test_price_of_a_message_has_the_decimals_of_its_currency(price: str, currency: str, reason: str | None) -> None:
    raw = {**load(SAMPLES / "product.changed.v1.json")["product"], "price": price, "currency": currency}
    if reason is None:
        assert ProductContent.decode(raw).price == price
        return
    with pytest.raises(ValueError, match=reason):
        ProductContent.decode(raw)


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_message_of_a_newer_version_differs_from_a_broken_one(path: Path) -> None:
    stored = load(path)
    later = {**stored, "type": stored["type"].replace(".v1", ".v10")}
    with pytest.raises(NewerMessageError, match="newer"):
        DECODERS[stored["type"]].decode(later)
    for broken in ("changed.v2", f"{stored['type']}x", "v2", stored["type"].replace(".v1", ".v0"), 2):
        with pytest.raises(InvalidMessageError) as caught:
            DECODERS[stored["type"]].decode({**stored, "type": broken})
        assert not isinstance(caught.value, NewerMessageError)


@pytest.mark.parametrize("price", ["18.5", "-1.00", "1e3", "NaN", "18,50", "12345678901.00"])
def test_inexact_price_is_refused(price: str) -> None:
    broken = load(SAMPLES / "product.changed.v1.json")
    broken["product"]["price"] = price
    with pytest.raises(InvalidMessageError, match="price"):
        ProductChanged.decode(broken)


@pytest.mark.parametrize("time", ["yesterday", "2026-11-24T08:00:00", "0001-01-01T00:00:00+23:59", ""])
def test_invalid_time_is_refused(time: str) -> None:
    broken = load(SAMPLES / "product.changed.v1.json")
    broken["product"]["updated_at"] = time
    with pytest.raises(InvalidMessageError, match="updated_at"):
        ProductChanged.decode(broken)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sku", ""),
        ("sku", "x" * 65),
        ("sku", "a b"),
        ("title", ""),
        ("title", " "),
        ("title", "\u200b"),
        ("title", "Red\nmug"),
        ("title", "Red mug "),
        ("title", "x" * 5_000_000),
        ("title", "\ud800"),
        ("description", "x" * 10_001),
        ("description", "\x1b[2J"),
        ("description", "CR LF\r\n."),
        ("category", ""),
        ("category", "\tKitchen"),
        ("category", "x" * 81),
        ("currency", "X" * 1_000),
        ("currency", "eur"),
        ("image_url", "javascript:alert(1)"),
        ("image_url", "data:text/html,<script>alert(1)</script>"),
        ("image_url", "//evil.example/a.png"),
        ("image_url", "https://example.com/" + "x" * 1_000),
        ("updated_at", "2026-11-02T09:30:00." + "0" * 100_000 + "Z"),
        ("updated_at", "2026-11-02T10:30:00.125+01:00"),
    ],
)
def test_state_that_no_admin_could_produce_is_refused_by_the_rules_of_its_api(field: str, value: str) -> None:
    forged = load(SAMPLES / "product.changed.v1.json")
    forged["product"][field] = value
    forged["checksum"] = ProductContent(**forged["product"]).checksum()
    with pytest.raises(InvalidMessageError, match=rf"product\.{field}") as caught:
        ProductChanged.decode(forged)
    assert (caught.value.product_id, caught.value.sequence) == (42, 3)
    assert len(caught.value.reason) < 300


@pytest.mark.parametrize("raw", [None, [], "x", 5, {}])
def test_other_json_is_refused(raw: Any) -> None:
    for decoder in DECODERS.values():
        with pytest.raises(InvalidMessageError):
            decoder.decode(raw)


@pytest.mark.parametrize(
    ("field", "value"),
    [("product", "1"), ("revision", 0), ("revision", None), ("user", "a:b"), ("user", ""), ("liked", "yes")],
)
def test_broken_like_is_refused_with_a_reason_that_names_the_field(field: str, value: Any) -> None:
    broken = {**load(SAMPLES / "like.changed.v1.json"), field: value}
    with pytest.raises(InvalidMessageError, match=field):
        LikeChanged.decode(broken)


def test_checksum_is_of_sorted_json_with_all_characters() -> None:
    texts = ["", "é ✓ 🎉", 'a "quoted" \\ back\\slash', "line\nbreak\ttab\x00\x1f\x7f\u2028", "\ud800 alone"]
    for text in texts:
        content = ProductContent("sku", text, text, "1.00", "EUR", text, "", text, text)
        sorted_json = json.dumps(content.encode(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        expected = hashlib.blake2b(sorted_json.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        assert content.checksum() == expected
