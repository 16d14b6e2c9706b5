"""The catalogue's REST API: what callers may rely on."""

import codecs
import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from admin.catalogue import service
from admin.catalogue.models import Product
from admin.db.extensions import db
from admin.outbox.models import FRESH, ProductChange, Replication
from tests.unit.admin.catalogue import CONTENT, PRODUCTS, Api, row_counts

SORTS = ("id", "-updated_at", "updated_at", "sku")


def log_of(app: Flask, product_id: int) -> list[tuple[str, int, str]]:
    with app.app_context():
        query = select(ProductChange.kind, ProductChange.sequence, ProductChange.author).filter_by(
            product_id=product_id
        )
        return [tuple(row) for row in db.session.execute(query.order_by(ProductChange.id))]


# --- one product ------------------------------------------------------------------------------------------


def test_created_product_is_answered_with_its_place_and_version(editor: Api) -> None:
    answer = editor.call("POST", PRODUCTS, json=CONTENT)
    product = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{PRODUCTS}/{product['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert {name: product[name] for name in CONTENT} == CONTENT
    assert (product["version"], product["likes"]) == (1, 0)
    assert product["created_at"] == product["updated_at"]
    assert product["created_at"].endswith("Z")
    assert editor.call("GET", answer.headers["Location"]).get_json() == product


def test_optional_fields_may_be_left_out(editor: Api) -> None:
    content = {k: v for k, v in CONTENT.items() if k not in {"description", "image_url"}}
    product = editor.call("POST", PRODUCTS, json=content).get_json()
    assert (product["description"], product["image_url"]) == ("", "")


def test_writes_work_while_the_broker_is_down_and_wait_for_the_relay(app: Flask, editor: Api) -> None:
    product = editor.create()
    editor.patch(product["id"], '"1"', title="Blue mug")
    with app.app_context():
        row = db.session.get_one(Replication, product["id"])
        assert (row.sequence, row.state, row.verified_sequence) == (2, FRESH, 0)


def test_changed_product_has_a_new_version_and_a_line_in_the_log(app: Flask, editor: Api) -> None:
    product = editor.create()
    answer = editor.patch(product["id"], '"1"', title="Blue mug", price="3")
    changed = answer.get_json()
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    assert changed == {
        **product,
        "title": "Blue mug",
        "price": "3.00",
        "version": 2,
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] >= product["updated_at"]
    assert log_of(app, product["id"]) == [("created", 1, "editor@example.com"), ("updated", 2, "editor@example.com")]


def test_merge_patch_content_type_is_taken(editor: Api) -> None:
    product = editor.create()
    answer = editor.call(
        "PATCH",
        f"{PRODUCTS}/{product['id']}",
        {"If-Match": '"1"'},
        data=json.dumps({"title": "Blue"}),
        content_type="application/merge-patch+json",
    )
    assert (answer.status_code, answer.get_json()["title"]) == (200, "Blue")


def test_byte_order_mark_before_json_is_ignored(editor: Api) -> None:
    body = codecs.BOM_UTF8 + json.dumps(CONTENT).encode()
    made = editor.call("POST", PRODUCTS, data=body, content_type="application/json; charset=utf-8")
    assert made.status_code == 201
    one, body = f"{PRODUCTS}/{made.get_json()['id']}", codecs.BOM_UTF8 + b'{"title": "Blue mug"}'
    for content_type in ("application/json", "application/merge-patch+json"):
        answer = editor.call("PATCH", one, {"If-Match": "*"}, data=body, content_type=content_type)
        assert (answer.status_code, answer.get_json()["title"]) == (200, "Blue mug")


def test_spaces_around_texts_and_other_line_ends_are_no_part_of_them(editor: Api) -> None:
    typed = {"title": "\u3000Red mug \n", "category": "Kitchen ", "description": " Holds tea.\r\nKeeps it warm.\t"}
    product = editor.create(**typed)
    assert {name: product[name] for name in typed} == {name: CONTENT[name] for name in typed}
    assert editor.patch(product["id"], '"1"', **typed).get_json()["version"] == 1
    assert editor.skus(category=" Kitchen") == [product["sku"]]


def test_unchanged_update_makes_no_version_and_no_line_in_the_log(app: Flask, editor: Api) -> None:
    product = editor.create()
    before = row_counts(app)
    # 12.5 is the stored 12.50
    answer = editor.patch(product["id"], '"1"', **{**CONTENT, "price": "12.5"})
    assert (answer.status_code, answer.headers["ETag"], answer.get_json()) == (200, '"1"', product)
    assert row_counts(app) == before


def test_deleted_product_is_gone_for_every_method(app: Flask, editor: Api) -> None:
    product = editor.create()
    answer = editor.delete(product["id"], '"1"')
    assert (answer.status_code, answer.data) == (204, b"")
    assert editor.show(product["id"]).status_code == 404
    assert editor.patch(product["id"], '"2"', title="x").status_code == 404
    assert editor.delete(product["id"], '"2"').status_code == 404
    assert editor.skus() == []
    assert log_of(app, product["id"])[-1] == ("deleted", 2, "editor@example.com")


def test_sku_is_free_after_a_delete_and_its_next_product_has_a_new_id(editor: Api) -> None:
    first = editor.create()
    editor.delete(first["id"])
    second = editor.create()
    assert second["id"] > first["id"]
    assert second["version"] == 1


def test_restored_product_is_what_it_was_at_a_newer_version(app: Flask, editor: Api) -> None:
    made = editor.create()
    deleted = editor.delete(made["id"])
    answer = editor.restore(made["id"], deleted.headers["ETag"])
    shown = answer.get_json()
    assert (answer.status_code, answer.headers["ETag"], shown["version"]) == (200, '"3"', 3)
    same = ("id", "sku", "title", "price", "image_url", "created_at")
    assert {name: shown[name] for name in same} == {name: made[name] for name in same}
    again = editor.restore(made["id"], deleted.headers["ETag"])
    assert (again.status_code, again.get_json()["version"]) == (200, 3)
    with app.app_context():
        kinds = db.session.execute(select(ProductChange.kind).order_by(ProductChange.id)).scalars().all()
    assert kinds == ["created", "deleted", "restored"]


def test_restore_is_refused_where_the_sku_was_given_away(app: Flask, editor: Api) -> None:
    first = editor.create()["id"]
    editor.delete(first)
    editor.create()
    before = row_counts(app)
    answer = editor.restore(first)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (409, "sku")
    assert editor.show(first).status_code == 404
    assert row_counts(app) == before
    with app.app_context():
        assert service.restore_product(first, {2}, "me", {"sku": "MUG-2"}).live_sku == "MUG-2"


def test_product_that_never_existed_cannot_be_restored(editor: Api, viewer: Api) -> None:
    assert editor.restore(999).status_code == 404
    assert viewer.restore(999).status_code == 403


def test_sku_of_a_product_that_was_renamed_is_free(editor: Api) -> None:
    product = editor.create()
    assert editor.patch(product["id"], "*", sku="MUG-2").get_json()["sku"] == "MUG-2"
    assert editor.create()["sku"] == "MUG-1"


def test_skus_that_differ_in_case_are_two_products(editor: Api) -> None:
    editor.create(sku="mug")
    editor.create(sku="MUG")
    assert editor.skus(sort="sku") == ["MUG", "mug"]


# --- conditional requests ---------------------------------------------------------------------------------


def test_write_without_if_match_is_told_to_send_one(editor: Api) -> None:
    product = editor.create()
    deleted = editor.create(sku="MUG-2")["id"]
    editor.delete(deleted)
    for answer in (
        editor.patch(product["id"], None, title="x"),
        editor.delete(product["id"], None),
        editor.restore(deleted, None),
    ):
        assert (answer.status_code, answer.content_type) == (428, "application/problem+json")
        assert "If-Match" in answer.get_json()["detail"]


# The last is beyond what Python turns into an int.
@pytest.mark.parametrize(
    "tag",
    [
        *('"1"', '"3"', 'W/"2"', '"x"', "", '"1", "3"', '"3", W/"2"', '"1", *', "2*", '"02"'),
        *('"' + "9" * 30 + '"', "9" * 5000),
    ],
)
def test_tag_that_is_not_the_current_one_never_writes(app: Flask, editor: Api, tag: str) -> None:
    product = editor.create()
    editor.patch(product["id"], '"1"', title="Second")
    before = row_counts(app)
    for answer in (editor.patch(product["id"], tag, title="Third"), editor.delete(product["id"], tag)):
        assert (answer.status_code, answer.content_type) == (412, "application/problem+json")
    assert row_counts(app) == before
    assert editor.show(product["id"]).get_json()["title"] == "Second"


@pytest.mark.parametrize("tag", ["*", '"2"', '"1", "2"', '"2","7"', ' "x" ,, "2", W/"1"'])
def test_star_or_the_current_tag_among_others_writes(editor: Api, tag: str) -> None:
    product = editor.create()
    editor.patch(product["id"], "*", title="Second")
    assert editor.patch(product["id"], tag, title="Third").get_json()["version"] == 3


def test_weak_tag_is_refused_with_the_reason_and_what_to_send(editor: Api) -> None:
    product = editor.create()["id"]
    for answer in (editor.patch(product, 'W/"1"', title="x"), editor.delete(product, 'W/"7", W/"1"')):
        detail = answer.get_json()["detail"]
        assert answer.status_code == 412
        assert "weak" in detail
        assert 'without its W/, for example "3"' in detail


def test_only_the_delete_that_was_seen_is_undone(app: Flask, editor: Api) -> None:
    product = editor.create()["id"]
    first = editor.delete(product).headers["ETag"]
    editor.restore(product, first)
    editor.patch(product, '"3"', title="Wrong mug")
    second = editor.delete(product).headers["ETag"]
    before = row_counts(app)
    assert editor.restore(product, first).status_code == 412
    assert (editor.show(product).status_code, row_counts(app)) == (404, before)
    assert editor.restore(product, second).status_code == 200


def test_conditions_of_one_request_hold_together(editor: Api) -> None:
    path = f"{PRODUCTS}/{editor.create()['id']}"
    for tag in ("*", '"1"', 'W/"1"'):
        both = {"If-Match": '"1"', "If-None-Match": tag}
        assert editor.call("PATCH", path, both, json={"title": "x"}).status_code == 412
    assert editor.call("GET", path, {"If-Match": '"2"'}).status_code == 412
    assert editor.call("GET", path, {"If-Match": '"2", "1"'}).status_code == 200
    other = {"If-Match": '"1"', "If-None-Match": '"2"'}
    assert editor.call("PATCH", path, other, json={"title": "x"}).status_code == 200


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "*", '"7", "1"', 'W/"7",W/"1"'])
def test_known_version_is_not_sent_again(editor: Api, tag: str) -> None:
    product = editor.create()
    path = f"{PRODUCTS}/{product['id']}"
    answer = editor.call("GET", path, {"If-None-Match": tag})
    assert (answer.status_code, answer.headers["ETag"], answer.data) == (304, '"1"', b"")
    editor.patch(product["id"], "*", title="Second")
    assert editor.call("GET", path, {"If-None-Match": tag}).status_code == (304 if tag == "*" else 200)


def test_senseless_if_none_match_gets_the_product(editor: Api) -> None:
    path = f"{PRODUCTS}/{editor.create()['id']}"
    for tag in ('"x"', "", "9" * 5000, '"01"', '"2", *'):
        assert editor.call("GET", path, {"If-None-Match": tag}).status_code == 200


# --- lists ------------------------------------------------------------------------------------------------

SKUS = [f"SKU-{n:02}" for n in (3, 9, 0, 7, 1, 5, 2, 8, 6, 4)]


@pytest.fixture
def ten(app: Flask, editor: Api) -> Api:
    """Ten products of two moments only, so that most of them tie."""
    for sku in SKUS:
        editor.create(sku=sku)
    with app.app_context():
        products = list(db.session.execute(select(Product)).scalars())
        for product in products:
            product.updated_at = products[product.id % 2].updated_at
        db.session.commit()
    return editor


def ordered(app: Flask, sort: str) -> list[str]:
    """The skus of all live products as ``sort`` should show them."""
    keys: dict[str, Callable[[Product], object]] = {"sku": lambda p: p.sku, "id": lambda p: p.id}
    key = keys.get(sort, lambda p: (p.updated_at, p.id))
    with app.app_context():
        live = db.session.execute(select(Product).where(Product.deleted_at.is_(None))).scalars()
        return [p.sku for p in sorted(live, key=key, reverse=sort.startswith("-"))]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 3, 5, 10, 11])
def test_link_headers_lead_through_every_product_once(app: Flask, ten: Api, sort: str, limit: int) -> None:
    found: list[str] = []
    url: str | None = f"{PRODUCTS}?sort={sort}&limit={limit}"
    while url:
        answer = ten.call("GET", url)
        page = answer.get_json()
        assert 0 < len(page["items"]) <= limit
        found += [item["sku"] for item in page["items"]]
        link = answer.headers.get("Link")
        assert (link is None) == (page["next_cursor"] is None)
        url = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
    assert found == ordered(app, sort)


@pytest.mark.parametrize("sort", SORTS)
def test_pages_stay_stable_when_seen_products_are_deleted(ten: Api, sort: str) -> None:
    whole = ten.listed(sort=sort).get_json()["items"]
    first = ten.listed(sort=sort, limit=4).get_json()
    ten.delete(first["items"][0]["id"])
    ten.delete(first["items"][3]["id"])  # the very row the cursor names
    rest = ten.skus(sort=sort, limit=10, cursor=first["next_cursor"])
    assert rest == [item["sku"] for item in whole[4:]]


def test_product_created_meanwhile_moves_no_page(ten: Api) -> None:
    whole = ten.skus(sort="-updated_at")
    first = ten.listed(sort="-updated_at", limit=4).get_json()
    ten.create(sku="NEW")
    assert ten.skus(sort="-updated_at", cursor=first["next_cursor"]) == whole[4:]


@pytest.mark.parametrize("category", [None, CONTENT["category"]])
def test_walk_sees_each_product_once_while_others_edit(ten: Api, category: str | None) -> None:
    """By default, as programs walk: people's orders move what is edited."""
    narrowed = {} if category is None else {"category": category}
    ids = [item["id"] for item in ten.listed(sort="sku").get_json()["items"]]
    deleted, seen, cursor, edit = max(ids), [], {}, 0
    while True:
        page = ten.listed(limit=2, **narrowed, **cursor).get_json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        for product in (ids[0], ids[-1], seen[-1], min(set(ids) - set(seen), default=ids[0])):
            edit += 1
            changes = {"title": f"Edit {edit}", "price": f"{100 - edit}", "sku": f"EDIT-{edit}"}
            assert ten.patch(product, "*", **changes).status_code == 200
        if deleted not in seen:  # one that comes back has been away: it may be seen or not, but not twice
            ten.delete(deleted)
            ten.restore(deleted)
    assert (len(seen), sorted(seen)) == (10, sorted(ids))


def test_link_keeps_the_other_parameters(editor: Api) -> None:
    for number in range(3):
        editor.create(sku=f"A-{number}", title="50% & more", category="Küche & Bad")
    answer = editor.listed(q="50% &", category="Küche & Bad", sort="sku", limit=2)
    target = urlsplit(answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))
    query = {k: v for k, [v] in parse_qs(target.query).items()}
    assert query == {
        "q": "50% &",
        "category": "Küche & Bad",
        "sort": "sku",
        "limit": "2",
        "cursor": answer.get_json()["next_cursor"],
    }
    assert editor.skus(**query) == ["A-2"]


def test_empty_catalogue_is_an_empty_page(editor: Api) -> None:
    answer = editor.listed()
    assert answer.get_json() == {"items": [], "next_cursor": None}
    assert "Link" not in answer.headers


def test_default_page_holds_twenty(editor: Api) -> None:
    for number in range(21):
        editor.create(sku=f"N{number}")
    assert len(editor.skus()) == 20
    assert len(editor.skus(limit=100)) == 21


@pytest.mark.parametrize("pattern", ["x{}", "{}x", "{}.{}", "{:.20}", "", ".", "a.b", "é\0"])
def test_tampered_cursor_is_refused(ten: Api, pattern: str) -> None:
    cursor = ten.listed(limit=2).get_json()["next_cursor"]
    answer = ten.listed(limit=2, cursor=pattern.format(cursor, cursor))
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.get_json()["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("other", SORTS)
def test_cursor_of_another_sort_is_refused(ten: Api, sort: str, other: str) -> None:
    cursor = ten.listed(limit=2, sort=sort).get_json()["next_cursor"]
    assert ten.listed(limit=2, sort=other, cursor=cursor).status_code == (200 if sort == other else 400)


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("limit", {"limit": 0}),
        ("limit", {"limit": 101}),
        ("limit", {"limit": -1}),
        ("limit", {"limit": "ten"}),
        ("limit", {"limit": "1.5"}),
        ("limit", {"limit": ""}),
        ("limit", {"limit": "9" * 5000}),
        ("sort", {"sort": "-sku"}),
        ("sort", {"sort": ""}),
        ("q", {"q": "x" * 101}),
        ("q", {"q": "a\0b"}),
        ("category", {"category": ""}),
        ("category", {"category": "x" * 81}),
        ("category", {"category": "\x1b"}),
        ("cursor", {"cursor": "x" * 1001}),
        ("page", {"page": 2}),
        ("Limit", {"Limit": 2}),
    ],
)
def test_query_that_makes_no_sense_is_refused_by_name(editor: Api, field: str, query: dict[str, str]) -> None:
    answer = editor.listed(**query)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]


# --- search -----------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(editor: Api) -> Api:
    editor.create(sku="CUP_1", title="Red cup, 100% porcelain", category="Kitchen")
    editor.create(sku="CUPX1", title="Blue cup, 100 percent steel", category="Kitchen")
    editor.create(sku="LAMP-1", title="Desk lamp red\\white", category="Light")
    return editor


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("", ["CUPX1", "CUP_1", "LAMP-1"]),
        ("  ", ["CUPX1", "CUP_1", "LAMP-1"]),
        ("cup", ["CUPX1", "CUP_1"]),
        ("CUP", ["CUPX1", "CUP_1"]),
        ("rED", ["CUP_1", "LAMP-1"]),
        ("red cup", ["CUP_1"]),
        ("  cup   red ", ["CUP_1"]),
        ("red steel", []),
        ("re ste", []),
        ("blu ste", ["CUPX1"]),  # words may be begun only …
        ("up", []),  # … but have to be begun
        ("100%", ["CUPX1", "CUP_1"]),  # signs are no words
        ("%", []),  # … and nothing is found by signs alone
        ("!!! \U0001fad6", []),
        ("_", []),
        ("cup_", ["CUP_1"]),
        ("red\\white", ["LAMP-1"]),
        ("lamp-", ["LAMP-1"]),
        ("AMP-1", []),
        ("' OR 1=1 --", []),
    ],
)
def test_search_finds_what_has_every_word(shelf: Api, q: str, found: list[str]) -> None:
    assert shelf.skus(q=q, sort="sku") == found


def test_fancy_letters_are_found_by_plain_ones(editor: Api) -> None:
    editor.create(sku="BIG", title="𝐁𝐢𝐠 𝐒𝐚𝐥𝐞")
    editor.create(sku="NO5", title="№5 Lamp™")
    assert [editor.skus(q=q) for q in ("big sale", "BIG", "𝐁𝐢𝐠")] == [["BIG"]] * 3
    assert [editor.skus(q=q) for q in ("no5", "№5", "lamptm")] == [["NO5"]] * 3


def test_sku_is_found_however_many_words_the_title_has(editor: Api) -> None:
    title = " ".join(f"w{number}" for number in range(50))
    assert len(title) <= 200
    editor.create(sku="LONG-TITLE", title=title)
    assert [editor.skus(q=q) for q in ("long-title", "w49")] == [["LONG-TITLE"], ["LONG-TITLE"]]


def test_search_follows_edits_and_deletes(editor: Api, shelf: Api) -> None:
    cup = editor.listed(q="porcelain").get_json()["items"][0]["id"]
    editor.patch(cup, "*", title="Golden goblet", sku="GOB-1")
    assert [shelf.skus(q=q) for q in ("porcelain", "cup_1", "gold gob", "gob-1")] == [[], [], ["GOB-1"], ["GOB-1"]]
    editor.patch(cup, "*", price="1.00")
    assert shelf.skus(q="goblet") == ["GOB-1"]
    editor.delete(cup, "*")
    assert shelf.skus(q="goblet") == []
    editor.restore(cup)
    assert shelf.skus(q="goblet") == ["GOB-1"]


def test_category_is_matched_whole(shelf: Api) -> None:
    assert shelf.skus(category="Kitchen", sort="sku") == ["CUPX1", "CUP_1"]
    assert shelf.skus(category="Kitch") == []
    assert shelf.skus(category="Light", q="red") == ["LAMP-1"]
    assert shelf.skus(category="Light", q="blue") == []


# --- the API's own description ----------------------------------------------------------------------------


def test_every_call_is_described_with_who_may_make_it(client: FlaskClient) -> None:
    paths = client.get("/api/openapi.json").get_json()["paths"]
    ours = [path for path in paths if path.startswith(PRODUCTS)]
    described = [call for path in ours for name, call in paths[path].items() if name != "parameters"]
    assert len(described) == 9
    assert [call["summary"] for call in described if call.get("security") != [{"bearer": []}]] == []
    [parameter] = paths[f"{PRODUCTS}/{{product_id}}"]["parameters"]
    assert (parameter["in"], parameter["schema"]) == ("path", {"type": "integer", "minimum": 0})


def test_null_in_a_merge_patch_removes_what_may_be_left_out(editor: Api) -> None:
    product = editor.create(sku="NULL-1")
    changed = editor.patch(product["id"], '"1"', description=None, image_url=None)
    assert (changed.status_code, changed.get_json()["description"], changed.get_json()["image_url"]) == (200, "", "")
    assert editor.patch(product["id"], '"2"', title=None).status_code == 422


# --- prices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "currency", "shown"),
    [
        *(("1250", "JPY", "1250"), ("1250.00", "JPY", "1250"), ("1.25", "KWD", "1.250"), ("9.9", "EUR", "9.90")),
        *(("0", "EUR", "0.00"), ("7", "EUR", "7.00"), ("9999999999.99", "EUR", "9999999999.99")),
    ],
)
def test_price_has_the_decimals_of_its_currency(editor: Api, price: str, currency: str, shown: str) -> None:
    made = editor.create(price=price, currency=currency)
    assert (made["price"], editor.show(made["id"]).get_json()["price"]) == (shown, shown)
    assert editor.listed().get_json()["items"][0]["price"] == shown
    assert editor.patch(made["id"], '"1"', price=shown).get_json()["version"] == 1  # the same price


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"price": "12.505"}, "Must have at most 2 decimals in EUR."),
        ({"currency": "JPY"}, "JPY has no decimals."),
        ({"price": "1.0005", "currency": "KWD"}, "Must have at most 3 decimals in KWD."),
    ],
)
def test_change_after_which_the_price_is_more_exact_than_its_currency_is_refused(
    editor: Api, changes: dict[str, str], wrong: str
) -> None:
    made = editor.create(price="12.50", currency="EUR")
    answer = editor.patch(made["id"], '"1"', **changes)
    assert (answer.status_code, answer.get_json()["errors"]) == (422, [{"field": "price", "detail": wrong}])
    assert editor.show(made["id"]).get_json() == made
    created = editor.call(
        "POST", PRODUCTS, json={**CONTENT, "sku": "NEW", "price": "12.50", "currency": "EUR", **changes}
    )
    assert (created.status_code, created.get_json()["errors"]) == (422, [{"field": "price", "detail": wrong}])


def test_currency_changes_where_the_price_fits_the_new_one(editor: Api) -> None:
    made = editor.create(price="12.00", currency="EUR")
    assert editor.patch(made["id"], '"1"', currency="JPY").get_json()["price"] == "12"
