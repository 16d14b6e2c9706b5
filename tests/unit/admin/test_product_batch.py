"""``POST /products/batch``: every item has its outcome; what is wrong is refused alone, or everything is."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from admin.catalogue.batch import MAX_ITEMS
from admin.catalogue.models import Product
from admin.db.extensions import db
from admin.outbox.models import ProductChange, Replication
from contract.names import BULK, INTERACTIVE
from tests.unit.admin.catalogue import CONTENT, PRODUCTS, Api, row_counts

BATCH = f"{PRODUCTS}/batch"
NO_IMAGE = "/images/" + "0" * 64


def send(caller: Api, *items: Any, query: str = "", key: str | None = None) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return caller.call("POST", BATCH + query, headers, json={"items": list(items)})


def outcomes(caller: Api, *items: Any, query: str = "", key: str | None = None) -> list[dict[str, Any]]:
    answer = send(caller, *items, query=query, key=key)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["items"])


def create(sku: str, **content: Any) -> dict[str, Any]:
    return {"action": "create", "product": {**CONTENT, "sku": sku, **content}}


def update(**item: Any) -> dict[str, Any]:
    return {"action": "update", "version": "*", "product": {"title": "Blue mug"}, **item}


def delete(**item: Any) -> dict[str, Any]:
    return {"action": "delete", "version": "*", **item}


def changes(app: Flask) -> list[tuple[int, int, str, str]]:
    """Return id, version, kind and author of every change in the log."""
    with app.app_context():
        columns = (ProductChange.product_id, ProductChange.sequence, ProductChange.kind, ProductChange.author)
        return [tuple(row) for row in db.session.execute(select(*columns).order_by(ProductChange.id))]


def test_creates_updates_and_deletes_are_stored_together(app: Flask, editor: Api) -> None:
    first, second = editor.create(sku="A"), editor.create(sku="B")
    answer = send(editor, create("C"), update(sku="A", version=1), delete(id=second["id"], version=1))
    body = answer.get_json()
    assert answer.status_code == 200
    assert body["items"] == [
        {"index": 0, "status": 201, "result": "created", "id": 3, "sku": "C", "version": 1, "etag": '"1"'},
        {"index": 1, "status": 200, "result": "updated", "id": 1, "sku": "A", "version": 2, "etag": '"2"'},
        {"index": 2, "status": 200, "result": "deleted", "id": 2, "sku": "B", "version": 2, "etag": '"2"'},
    ]
    counts = {name: body[name] for name in ("created", "updated", "unchanged", "deleted", "refused")}
    assert counts == {"created": 1, "updated": 1, "unchanged": 0, "deleted": 1, "refused": 0}
    assert editor.show(3).get_json()["title"] == CONTENT["title"]
    assert editor.show(first["id"]).get_json()["title"] == "Blue mug"
    assert editor.show(second["id"]).status_code == 404
    assert editor.skus(q="blue") == ["A"]
    who = "editor@example.com"
    assert changes(app)[2:] == [(3, 1, "created", who), (1, 2, "updated", who), (2, 2, "deleted", who)]


def test_answer_says_what_the_next_change_of_each_product_needs(editor: Api) -> None:
    [made] = outcomes(editor, create("A"))
    assert editor.patch(made["id"], made["etag"], title="Blue mug").status_code == 200
    [gone] = outcomes(editor, delete(id=made["id"], version=2))
    assert editor.restore(made["id"], gone["etag"]).status_code == 200


@pytest.mark.parametrize(("query", "lane"), [("", INTERACTIVE), ("?lane=bulk", BULK)])
def test_products_are_pending_on_the_lane_of_the_request(app: Flask, editor: Api, query: str, lane: str) -> None:
    outcomes(editor, create("A"), query=query)
    outcomes(editor, update(sku="A"), query=query)
    with app.app_context():
        row = db.session.get_one(Replication, 1)
        assert (row.sequence, row.lane, row.state, row.request_id is not None) == (2, lane, "fresh", True)


def test_optional_fields_get_their_defaults_and_null_removes_them(editor: Api) -> None:
    few = {name: value for name, value in CONTENT.items() if name not in {"description", "image_url"}}
    outcomes(editor, {"action": "create", "product": few}, create("B"))
    outcomes(editor, update(sku="B", product={"description": None}))
    shown = [editor.show(product_id).get_json() for product_id in (1, 2)]
    assert [one["description"] for one in shown] == ["", ""]
    assert [one["image_url"] for one in shown] == ["", CONTENT["image_url"]]


def test_equal_content_makes_no_version(app: Flask, editor: Api) -> None:
    editor.create(sku="A")
    before = row_counts(app)
    [same] = outcomes(editor, update(sku="A", product={"price": "12.5", "title": " Red mug"}))
    assert (same["status"], same["result"], same["version"]) == (200, "unchanged", 1)
    assert row_counts(app) == before


def test_sku_can_be_changed_and_the_old_one_is_free_for_the_next_batch(editor: Api) -> None:
    editor.create(sku="A")
    [renamed] = outcomes(editor, update(sku="A", product={"sku": "Z"}))
    assert (renamed["sku"], editor.skus(q="Z"), editor.skus(q="A")) == ("Z", ["Z"], [])
    assert [one["status"] for one in outcomes(editor, create("A"), delete(sku="Z"))] == [201, 200]


# --- items that are refused -------------------------------------------------------------------------------

REFUSED: list[tuple[Any, int, list[str]]] = [
    ("text", 422, ["item"]),
    ({}, 422, ["action"]),
    ({"action": "upsert"}, 422, ["action"]),
    ({"action": ["create"]}, 422, ["action"]),
    ({"action": "create"}, 422, ["product"]),
    ({**create("N"), "id": 5, "version": 1}, 422, ["id", "version"]),
    (create("N", price="1.005", title=""), 422, ["product.title", "product.price"]),
    (create("N", colour="red"), 422, ["product.colour"]),
    (create("A"), 409, ["product.sku"]),
    (create("N", image_url=NO_IMAGE), 422, ["product.image_url"]),
    (update(), 422, ["id"]),
    (update(id=1, sku="A"), 422, ["id"]),
    (update(id=0), 422, ["id"]),
    (update(id="1"), 422, ["id"]),
    (update(id=True), 422, ["id"]),
    (update(id=1e30), 422, ["id"]),
    (update(sku="no sku"), 422, ["sku"]),
    (update(sku=None), 422, ["sku"]),
    (update(id=99), 404, ["id"]),
    (update(sku="X"), 404, ["sku"]),
    (update(sku="GONE"), 404, ["sku"]),
    (delete(id=3), 404, ["id"]),
    (update(id=1, version=0), 422, ["version"]),
    (update(id=1, version='"1"'), 422, ["version"]),
    (update(id=1, version=7), 412, ["version"]),
    ({"action": "update", "id": 1, "product": {"title": "Blue"}}, 428, ["version"]),
    ({"action": "delete", "sku": "A"}, 428, ["version"]),
    (update(id=1, product={}), 422, ["product"]),
    (update(id=1, product={"title": None}), 422, ["product.title"]),
    (update(id=1, product={"sku": "B"}), 409, ["product.sku"]),
    (update(id=1, product={"currency": "JPY"}), 422, ["product.price"]),
    (update(id=1, product={"image_url": NO_IMAGE}), 422, ["product.image_url"]),
    ({**delete(id=1), "product": {}}, 422, ["product"]),
]


@pytest.fixture
def stored(editor: Api) -> Api:
    """An editor with two products, A and B, and a deleted one, GONE."""
    for sku in ("A", "B", "GONE"):
        editor.create(sku=sku, price="12.50")
    editor.delete(3)
    return editor


@pytest.mark.parametrize(("item", "status", "fields"), REFUSED, ids=repr)
def test_wrong_item_is_refused_with_its_fields_and_the_others_are_stored(
    stored: Api, item: Any, status: int, fields: list[str]
) -> None:
    made, refused, changed = outcomes(stored, create("NEW"), item, update(sku="B"))
    problem = refused["problem"]
    assert (made["result"], changed["result"]) == ("created", "updated")
    assert (refused["index"], refused["status"], problem["status"]) == (1, status, status)
    assert sorted(error["field"] for error in problem["errors"]) == sorted(fields)
    assert problem["title"]
    assert problem["detail"]
    assert stored.show(1).get_json()["version"] == 1


@pytest.mark.parametrize(("item", "status", "fields"), REFUSED, ids=repr)
def test_atomic_batch_with_a_wrong_item_stores_nothing(
    app: Flask, stored: Api, item: Any, status: int, fields: list[str]
) -> None:
    before = row_counts(app), changes(app)
    answer = send(stored, create("NEW"), item, update(sku="B"), query="?atomic=true", key="k1")
    problem = answer.get_json()
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert sorted(error["field"] for error in problem["errors"]) == sorted(f"items.1.{name}" for name in fields)
    assert [(one["index"], one["status"]) for one in problem["items"]] == [(1, status)]
    assert "Nothing was changed: 1 of 3" in problem["detail"]
    assert (row_counts(app), changes(app)) == before
    assert send(stored, create("NEW"), query="?atomic=true", key="k1").status_code == 200  # the key is free again


def test_atomic_batch_without_a_wrong_item_is_stored(stored: Api) -> None:
    found = outcomes(stored, create("NEW"), update(sku="B"), delete(sku="A"), query="?atomic=true")
    assert [one["result"] for one in found] == ["created", "updated", "deleted"]


@pytest.mark.parametrize(
    ("second", "field"),
    [
        (update(sku="A", product={"title": "Green mug"}), "sku"),
        (delete(id=1), "id"),
        (update(id=2, product={"sku": "NEW"}), "product.sku"),
        (create("NEW"), "product.sku"),
    ],
)
def test_second_item_about_the_same_product_or_sku_is_refused(stored: Api, second: Any, field: str) -> None:
    about_a, new, refused = outcomes(stored, update(id=1), create("NEW"), second)
    assert (about_a["status"], new["status"], refused["status"]) == (200, 201, 422)
    [error] = refused["problem"]["errors"]
    assert error["field"] == field
    assert f"Item {1 if 'product' in field else 0} is" in refused["problem"]["detail"]
    assert stored.show(1).get_json()["title"] == "Blue mug"


def test_item_that_was_refused_does_not_block_a_later_one(stored: Api) -> None:
    found = outcomes(stored, create("NEW", title=""), create("NEW"), update(id=1, version=9), update(id=1, version=1))
    assert [one["status"] for one in found] == [422, 201, 412, 200]


def test_long_names_and_lists_of_errors_are_shortened(editor: Api) -> None:
    made_up = {"x" * 5_000: 1, **{f"field {number}": 1 for number in range(400)}}
    [refused] = outcomes(editor, {**create("A"), **made_up})
    assert len(json.dumps(refused)) < 5_000


# --- the request as a whole -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": {}}, {"items": None}, {"items": [create("A")], "more": 1}, []], ids=repr
)
def test_body_that_is_no_batch_is_refused(app: Flask, editor: Api, body: Any) -> None:
    assert editor.call("POST", BATCH, json=body).status_code == 422
    assert row_counts(app)["products"] == 0


@pytest.mark.parametrize("query", ["?atomic=1", "?atomic=yes", "?lane=fast", "?dry_run=true"])
def test_unknown_query_is_refused(app: Flask, editor: Api, query: str) -> None:
    assert send(editor, create("A"), query=query).status_code == 422
    assert row_counts(app)["products"] == 0


def test_more_items_than_the_limit_are_refused_as_a_whole(app: Flask, editor: Api) -> None:
    most = [create(f"SKU-{number}") for number in range(MAX_ITEMS + 1)]
    answer = send(editor, *most)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "items")
    assert "500" in answer.text
    assert row_counts(app)["products"] == 0
    assert send(editor, *most[:-1]).get_json()["created"] == MAX_ITEMS


def test_body_may_have_two_megabytes(app: Flask, editor: Api) -> None:
    full = [create(f"SKU-{number}", description="d" * 9_500) for number in range(210)]
    assert send(editor, *full).get_json()["created"] == 210
    answer = send(editor, *full, create("LAST", description="d" * 9_500), *full)
    assert (answer.status_code, row_counts(app)["products"]) == (413, 210)
    assert "2097152" in answer.text


def test_body_that_was_cut_off_changes_nothing(app: Flask, editor: Api) -> None:
    whole = json.dumps({"items": [create("A"), create("B")]})
    for cut in (whole[: len(whole) // 2], whole[:-1]):
        answer = editor.call("POST", BATCH, data=cut, content_type="application/json")
        assert answer.status_code == 400
    assert row_counts(app)["products"] == 0


def test_viewer_may_not_send_one(app: Flask, viewer: Api) -> None:
    assert send(viewer, create("A")).status_code == 403
    assert row_counts(app)["products"] == 0


# --- Idempotency-Key --------------------------------------------------------------------------------------


def test_same_key_and_body_answers_the_same_and_changes_nothing(app: Flask, stored: Api) -> None:
    items = create("NEW"), update(sku="A", version=1), delete(sku="B"), update(sku="X")
    first = send(stored, *items, key="k1")
    before = row_counts(app), changes(app)
    again = send(stored, *items, key="k1")
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert (row_counts(app), changes(app)) == before


@pytest.mark.parametrize(("query", "sku"), [("", "OTHER"), ("?atomic=true", "NEW"), ("?lane=bulk", "NEW")])
def test_same_key_with_another_request_is_refused(app: Flask, editor: Api, query: str, sku: str) -> None:
    send(editor, create("NEW"), key="k1")
    before = row_counts(app)
    assert send(editor, create(sku), query=query, key="k1").status_code == 422
    assert row_counts(app) == before


def test_key_of_a_create_is_not_one_of_a_batch(editor: Api) -> None:
    assert editor.call("POST", PRODUCTS, {"Idempotency-Key": "k1"}, json=CONTENT).status_code == 201
    assert send(editor, create("NEW"), key="k1").status_code == 422


def test_products_are_as_those_of_single_requests(app: Flask, editor: Api) -> None:
    editor.create(sku="SINGLE")
    outcomes(editor, create("BATCH"))
    with app.app_context():
        single, batched = db.session.execute(select(Product).order_by(Product.id)).scalars()
        names = [column.name for column in Product.__table__.columns if column.name not in {"id", "sku", "live_sku"}]
        differ = {name for name in names if getattr(single, name) != getattr(batched, name)}
        assert differ <= {"created_at", "updated_at"}
        assert (batched.live_sku, batched.created_at) == ("BATCH", batched.updated_at)
