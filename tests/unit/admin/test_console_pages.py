"""The console without JavaScript: its forms, the controls for each role, and input that survives errors."""

import io
import re
from datetime import datetime
from decimal import Decimal
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import delete, insert, select, update

from admin.catalogue.models import Product
from admin.console.product_list import PENDING, STUCK_ROW
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.outbox.models import SENT, STUCK, VERIFIED, ProductChange, Replication, ResyncRun, SyncGeneration
from admin.reconcile.models import Drift, DriftCheck
from tests.browsing import JSON, Browser
from tests.isolation import MARK, loose
from tests.unit.admin.catalogue import CONTENT, VERIFY_ALL, Api, change, row_counts
from tests.unit.admin.pages import SIGN_IN, send, words_of

PAGES = ("/console/", "/console/products", "/console/dead-letters", "/console/imports")
NEW = "/console/products/new"


def page_of(product_id: int, what: str = "") -> str:
    return f"/console/products/{product_id}{what}"


def opened(browser: Browser, product_id: int) -> dict[str, str]:
    """Return the fields of the editor's form as opened, hidden ones too."""
    text = browser.get(page_of(product_id, "/edit")).text
    inputs = [dict(re.findall(r'(name|value)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", text)]
    fields = {tag["name"]: unescape(tag["value"]) for tag in inputs if "value" in tag and "name" in tag}
    [description] = re.findall(r"<textarea[^>]*>(.*?)</textarea>", text, re.DOTALL)
    return {**fields, "description": unescape(description)}


def products(app: Flask) -> list[Product]:
    with app.app_context():
        return list(db.session.execute(select(Product).order_by(Product.id)).scalars())


# --- roles ------------------------------------------------------------------------------------------


def test_root_redirects_to_the_console_and_the_console_to_the_sign_in(client: FlaskClient) -> None:
    browser = Browser(client, SIGN_IN)
    assert browser.get("/").headers["Location"] == "/console/"
    assert SIGN_IN in browser.get("/console/").headers["Location"]


def test_viewer_sees_no_form_or_link_that_would_be_refused(onlooker: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    for path in (*PAGES, page_of(product)):
        page = onlooker.get(path)
        assert page.status_code == 200
        forms = set(re.findall(r'<form[^>]*action="([^"]+)"', page.text)) - {"/theme", "/console/sign-out"}
        assert forms == set()
        assert "/edit" not in page.text
        assert NEW not in page.text


# --- creating and changing ------------------------------------------------------------------------------------


def test_refused_form_shows_a_message_at_each_field_and_the_input(app: Flask, staff: Browser) -> None:
    answer = send(staff, NEW, **{**CONTENT, "price": "cheap", "title": " "})
    assert answer.status_code == 422
    assert 'id="field-price-error"' in answer.text
    assert 'id="field-title-error"' in answer.text
    assert 'value="cheap"' in answer.text
    assert "Keeps it warm." in answer.text
    assert products(app) == []


def test_double_click_creates_one_product(app: Flask, staff: Browser) -> None:
    places = [send(staff, NEW, **CONTENT).headers["Location"] for _click in range(2)]
    assert places[0] == places[1]
    assert len(products(app)) == 1
    other = send(staff, NEW, **{**CONTENT, "title": "Another mug"})
    assert (other.status_code, 'id="field-sku-error"' in other.text) == (422, True)


def test_input_is_normalised(app: Flask, staff: Browser) -> None:
    typed = {"price": " 12,5 ", "currency": "eur", "description": "One\r\nTwo\r\n"}
    send(staff, NEW, **{**CONTENT, **typed})
    [product] = products(app)
    assert (product.price, product.currency, product.description) == (Decimal("12.5"), "EUR", "One\nTwo")


def test_saving_without_a_change_creates_no_version(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    answer = send(staff, page_of(product, "/edit"), **opened(staff, product))
    assert answer.status_code == 302
    assert products(app)[0].version == 1


def test_form_changes_only_what_its_user_changed(app: Flask, staff: Browser, editor: Api) -> None:
    """Text that a browser's field drops is not changed by saving another field."""
    product = editor.create()["id"]
    odd = {"title": " Red\nmug", "description": "One\r\nTwo \n", "category": "Kitchen "}
    change(app, update(Product).values(**odd))
    fields = {name: value.replace("\n", "") for name, value in opened(staff, product).items() if name in CONTENT}
    fields |= {"description": "One\r\nTwo \r\n", "version": "1"}
    assert send(staff, page_of(product, "/edit"), **fields).status_code == 302
    assert products(app)[0].version == 1
    assert send(staff, page_of(product, "/edit"), **{**fields, "price": "13"}).status_code == 302
    [saved] = products(app)
    assert (saved.version, saved.price) == (2, Decimal(13))
    assert {name: getattr(saved, name) for name in odd} == odd


def test_restore_with_an_edit_keeps_the_changes_of_others(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    fields = opened(staff, product)
    editor.patch(product, "*", title="Blue mug")
    editor.delete(product)
    page = send(staff, page_of(product, "/edit"), **{**fields, "price": "13"})
    inputs = [dict(re.findall(r'(name|value)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page.text)]
    form = {tag["name"]: unescape(tag["value"]) for tag in inputs if "value" in tag and "name" in tag}
    assert (
        send(staff, page_of(product, "/restore"), **{**form, "description": fields["description"]}).status_code == 302
    )
    [restored] = products(app)
    assert (restored.title, restored.price, restored.deleted_at) == ("Blue mug", Decimal(13), None)


def test_direction_marks_in_products_do_not_affect_the_text_around_them(staff: Browser, editor: Api) -> None:
    turning = {"title": f"abc{MARK}def", "category": f"Kit{MARK}chen", "description": f"Holds {MARK}tea."}
    live, gone = editor.create(**turning)["id"], editor.create(**turning, sku="GONE")["id"]
    fields = opened(staff, live)
    editor.delete(gone)
    pages = [
        staff.get(path)
        for path in (
            "/console/products",
            f"/console/products?deleted={gone}",
            "/console/products?state=deleted",
            f"/console/products?q=abc{MARK}def&category=Kit{MARK}chen",
            page_of(live),
            page_of(gone),
            page_of(live, "/edit"),
            page_of(live, "/delete"),
        )
    ]
    pages.append(send(staff, page_of(live, "/edit"), **{**fields, "price": "cheap"}))
    editor.patch(live, "*", price="13.00", title=f"def{MARK}abc")
    pages.append(send(staff, page_of(live, "/edit"), **{**fields, "price": "14"}))
    assert "Someone else saved this product" in pages[-1].text
    editor.delete(live)
    pages.append(send(staff, page_of(live, "/edit"), **{**fields, "price": "14"}))
    assert "Restore" in pages[-1].text
    send(staff, NEW, **{**CONTENT, **turning, "sku": "NEW"})
    pages.append(staff.get("/console/"))
    assert "is saved" in pages[-1].text
    for page in pages:
        assert (page.status_code, loose(page.text)) == (page.status_code, [])
    assert all(MARK in page.text for page in pages)


def png(colour: str = "red") -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    file.seek(0)
    return file


def test_uploaded_image_survives_errors_in_other_fields(app: Flask, staff: Browser) -> None:
    upload = {**CONTENT, "image_url": "", "price": "cheap", "image_file": (png(), "mug.png")}
    answer = send(staff, NEW, **upload)
    assert answer.status_code == 422
    found = re.search(r'value="(/images/[0-9a-f]{64})"', answer.text)
    assert found
    send(staff, NEW, **{**CONTENT, "image_url": found[1]})
    assert products(app)[0].image_url == found[1]


def test_file_that_is_no_image_is_refused_at_its_field(app: Flask, staff: Browser) -> None:
    answer = send(staff, NEW, **CONTENT, image_file=(io.BytesIO(b"<svg onload=alert(1)>"), "mug.png"))
    assert (answer.status_code, 'id="field-image_file-error"' in answer.text) == (422, True)
    assert products(app) == []


# --- two people at once -------------------------------------------------------------------------------------


def test_conflict_shows_both_sides_and_the_choice_is_saved(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    mine = {**opened(staff, product), "title": "My mug", "category": "Mine", "description": "Mine too"}
    editor.patch(product, "*", title="Their mug", price="1.00")
    answer = send(staff, page_of(product, "/edit"), **mine)
    assert answer.status_code == 409
    for words in ("My mug", "Their mug", "Mine too", "editor@example.com"):
        assert words in answer.text
    picked = set(re.findall(r'name="pick_(\w+)" value="(\w+)" checked', answer.text))
    assert picked == {("title", "yours"), ("category", "yours"), ("description", "yours"), ("price", "theirs")}
    assert answer.text.count("both changed this") == 1
    choice = {f"yours_{name}": mine[name] for name in CONTENT} | {f"theirs_{name}": CONTENT[name] for name in CONTENT}
    choice |= {"theirs_title": "Their mug", "theirs_price": "1.00"}
    choice |= {"pick_title": "theirs", "pick_category": "yours", "pick_description": "yours", "pick_price": "theirs"}
    same = {name: CONTENT[name] for name in ("sku", "currency", "image_url")}
    assert send(staff, page_of(product, "/edit"), version="2", **choice, **same).status_code == 302
    [saved] = products(app)
    assert (saved.title, saved.category, saved.description, saved.price, saved.version) == (
        "Their mug",
        "Mine",
        "Mine too",
        Decimal(1),
        3,
    )


@pytest.mark.parametrize("version", [None, "", "0", "-1", "1.0", "one", "1 ", "9" * 30])
def test_form_without_its_version_changes_nothing(app: Flask, staff: Browser, editor: Api, version: str | None) -> None:
    product, deleted = editor.create()["id"], editor.create(sku="MUG-2")["id"]
    editor.patch(product, "*", title="Their mug")
    editor.delete(deleted)
    before = row_counts(app)
    unreadable = {} if version is None else {"version": version}
    for path, content in (
        (page_of(product, "/edit"), CONTENT),
        (page_of(product, "/edit"), {**CONTENT, "price": "cheap"}),  # comes back with the version it was opened at
        (page_of(product, "/edit"), {**CONTENT, "preview": "1"}),
        (page_of(product, "/delete"), {}),
        (page_of(deleted, "/restore"), {}),
        (page_of(deleted, "/restore"), CONTENT),
    ):
        answer = send(staff, path, **content, **unreadable)
        assert (answer.status_code, "Nothing was changed" in words_of(answer)) == (428, True), path
    assert row_counts(app) == before
    assert products(app)[0].title == "Their mug"


def test_undo_does_not_undo_a_later_delete(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    editor.delete(product)
    editor.restore(product)
    editor.patch(product, "*", title="Their mug")
    editor.delete(product)
    answer = send(staff, page_of(product, "/restore?version=2"))
    assert "restored this product and deleted it again" in words_of(staff.get(answer.headers["Location"]))
    assert products(app)[0].deleted_at is not None
    # What was typed before it is shown again, beside the delete that is new.
    typed = send(staff, page_of(product, "/restore"), version="2", **{**CONTENT, "title": "My mug"})
    assert (typed.status_code, 'name="version" value="5"' in typed.text, "My mug" in typed.text) == (409, True, True)
    assert products(app)[0].deleted_at is not None


def test_restore_with_an_edit_that_meets_another_restore_is_a_conflict(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    editor.delete(product)
    editor.restore(product)
    editor.patch(product, "*", title="Their mug")
    mine = {**CONTENT, "title": "My mug"}
    answer = send(staff, page_of(product, "/restore"), version="2", **mine)
    assert (answer.status_code, "Their mug" in answer.text, "My mug" in answer.text) == (409, True, True)
    assert products(app)[0].title == "Their mug"


def test_second_click_on_save_is_no_conflict(staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    mine = {**opened(staff, product), "title": "My mug"}
    answers = [send(staff, page_of(product, "/edit"), **mine) for _click in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]


def test_edit_that_meets_a_delete_can_be_restored_with(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    mine = {**opened(staff, product), "title": "My mug"}
    editor.delete(product)
    answer = send(staff, page_of(product, "/edit"), **mine)
    assert answer.status_code == 409
    assert "My mug" in answer.text
    content = {name: mine[name] for name in CONTENT}
    assert 'name="version" value="2"' in answer.text
    assert send(staff, page_of(product, "/restore"), version="2", **content).status_code == 302
    [saved] = products(app)
    assert (saved.title, saved.deleted_at) == ("My mug", None)


def test_delete_requires_a_confirmation_and_can_be_undone(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    assert "Delete “<bdi>Red mug</bdi>”?" in staff.get(page_of(product, "/delete")).text
    answer = send(staff, page_of(product, "/delete"), version="1")
    listed = staff.get(answer.headers["Location"])
    assert f'action="{page_of(product, "/restore?version=2")}"' in listed.text
    for _click in range(2):
        assert send(staff, page_of(product, "/restore?version=2")).status_code == 302
    [saved] = products(app)
    assert (saved.deleted_at, saved.version) == (None, 3)


def test_delete_of_a_stale_version_is_refused(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    editor.patch(product, "*", title="Blue mug")
    answer = send(staff, page_of(product, "/delete"), version="1")
    assert answer.headers["Location"] == page_of(product, "/delete")
    assert products(app)[0].deleted_at is None


def test_restore_requires_another_sku_when_its_own_is_taken(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    editor.delete(product)
    editor.create()
    answer = send(staff, page_of(product, "/restore?version=2"))
    assert (answer.status_code, 'id="field-sku-error"' in answer.text) == (409, True)
    send(staff, page_of(product, "/restore"), version="2", **{**CONTENT, "sku": "MUG-2"})
    assert [(p.live_sku, p.title) for p in products(app)] == [("MUG-2", "Red mug"), ("MUG-1", "Red mug")]


# --- texts of the pages -------------------------------------------------------------------------------------


def test_pages_show_unknown_while_the_client_does_not_answer(staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    overview = staff.get("/console/").text
    assert "The Client does not answer, so its state is unknown." in overview
    assert "unknown how many are pending" in overview
    assert "unknown, as the Client does not answer" in overview
    assert "the state of this product in the shop is unknown" in staff.get(page_of(product)).text
    assert "The Client stores the dead letters, and it does not answer" in staff.get("/console/dead-letters").text
    assert "version 1 is on its way; the relay has not sent it" in staff.get(page_of(product)).text


def test_edit_is_shown_as_on_its_way_at_once(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    change(app, VERIFY_ALL)
    assert "in sync</span>" in staff.get("/console/products").text
    editor.patch(product, "*", title="Blue mug")
    assert "on its way</span>" in staff.get("/console/products").text


def test_retried_product_shows_its_last_verified_version_and_the_one_in_progress(
    app: Flask, staff: Browser, editor: Api
) -> None:
    product = editor.create()["id"]
    logged = update(ProductChange).values(applied_at=utc_now(), verified_at=utc_now())
    change(app, VERIFY_ALL.values(verified_sequence=Replication.sequence), logged)
    editor.patch(product, "*", title="Blue mug")
    change(app, update(Replication).values(state=SENT, attempts=2, last_error="out of order"))
    text = words_of(staff.get(page_of(product)))
    assert "Last verified version 1," in text
    assert "In progress version 2 sent, not verified" in text
    assert "2 attempts failed" in text
    assert "out of order" in text
    assert "equal on both sides" not in text


def test_stuck_product_shows_its_age_reason_and_advice(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    long_ago = datetime(2026, 11, 1, 8)  # noqa: DTZ001 - as in the database
    stuck = {"state": STUCK, "attempts": 5, "last_error": "the price is cheap", "pending_since": long_ago}
    change(app, update(Replication).values(**stuck))
    for page in ("/console/", "/console/products?state=stuck", page_of(product)):
        answer = staff.get(page)
        assert '<time datetime="2026-11-01T08:00:00Z"' in answer.text
        assert "the price is cheap" in words_of(answer)
    assert "Correct and save the product" in words_of(staff.get("/console/"))


def test_drift_is_an_alarm_with_its_repair(app: Flask, staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    seen = {"replica_sequence": 1, "replica_checksum": "x"}
    seen |= dict.fromkeys(("first_seen_at", "checked_at", "confirmed_at"), utc_now())
    drifted = insert(Drift).values(kind="differing", product_id=product, **seen)
    change(app, VERIFY_ALL, drifted, drifted.values(kind="orphaned", product_id=999))
    text = words_of(staff.get("/console/"))
    assert "2 products drifted" in text
    assert "same version, other content" in text
    assert "lockstep sync diff --repair" in text
    send(staff, "/console/drift/repair")
    assert "on its way</span>" in staff.get("/console/products").text
    change(app, delete(Drift).where(Drift.product_id == product))
    assert send(staff, "/console/drift/repair").status_code == 409


def test_restored_database_is_an_alarm_with_its_recovery(app: Flask, staff: Browser) -> None:
    change(app, update(SyncGeneration).values(alarm="client", alarm_since=utc_now()))
    text = words_of(staff.get("/console/"))
    assert "The database of the Client was restored from a backup" in text
    assert "lockstep sync recover" in text


def test_silent_relay_is_named_with_advice(app: Flask, staff: Browser) -> None:
    def overview() -> str:
        return unescape(staff.get("/console/").text)

    assert "never ran" in overview()
    assert "Start “lockstep relay”" in overview()
    change(app, update(DriftCheck).values(due_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - as in the database
    assert "no heartbeat" in overview()


@pytest.mark.parametrize("path", ["/console/products/states.json?ids=1,2,x", "/console/products/1/live.json"])
def test_unchanged_regions_are_answered_304(staff: Browser, editor: Api, path: str) -> None:
    product = editor.create()["id"]
    first = staff.client.get(path, headers=JSON)
    assert first.get_json()["regions"]
    again = staff.client.get(path, headers={**JSON, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    editor.patch(product, "*", title="Blue mug", price="3.00")
    with_change = staff.client.get(path, headers={**JSON, "If-None-Match": first.headers["ETag"]})
    assert with_change.status_code == 200 if "live" in path else 304


def test_live_addresses_of_pages_answer(staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    for page in ("/console/products", page_of(product)):
        addresses = re.findall(r'data-live="([^"]+)"', staff.get(page).text)
        assert addresses
        for address in addresses:
            assert staff.client.get(unescape(address), headers=JSON).status_code == 200


def test_link_to_older_versions_survives_a_live_update(staff: Browser, editor: Api) -> None:
    product = editor.create()["id"]
    for number in range(20):
        editor.patch(product, "*", title=f"Mug {number}")
    renewed = staff.client.get(page_of(product, "/live.json"), headers=JSON).get_json()["regions"]["now"]
    [further] = re.findall(r'rel="next" href="([^"]+)"', renewed)
    assert further == re.findall(r'rel="next" href="([^"]+)"', staff.get(page_of(product)).text)[0]
    assert "Version 1 " in words_of(staff.get(unescape(further)))


@pytest.mark.parametrize(
    "query",
    ["state=no", "sort=-sku", "q=" + "x" * 500, "q=%00", "category=nowhere", "deleted=x", "state=any", "before=-1"],
)
def test_invalid_parameters_are_ignored(staff: Browser, query: str) -> None:
    for page in ("/console/products", "/console/dead-letters", "/console/imports"):
        assert staff.get(f"{page}?{query}").status_code == 200


def test_lists_that_the_overview_links_to_exist(staff: Browser) -> None:
    lists = re.findall(r'href="/console/products\?state=(\w+)"', staff.get("/console/").text)
    assert set(lists) == {PENDING, STUCK_ROW}


def test_second_request_joins_the_running_resync(app: Flask, staff: Browser, editor: Api) -> None:
    editor.create()
    for _click in range(2):
        assert send(staff, "/console/resyncs", what="all").status_code == 302
    with app.app_context():
        [run] = db.session.execute(select(ResyncRun)).scalars()
    assert "All products" in staff.get("/console/").text
    send(staff, f"/console/resyncs/{run.id}/stop")
    assert "stopped by \u2068editor@example.com\u2069" in staff.get("/console/").text
    assert send(staff, "/console/resyncs", what="everything").status_code == 422


def test_search_without_letters_finds_nothing_and_says_why(staff: Browser, editor: Api) -> None:
    editor.create()
    for q, said in (("!!!", True), ("nothing", False)):
        page = staff.get("/console/products", query_string={"q": q}).text
        assert "Red mug" not in page
        assert ("at least one letter or digit" in page) == said


def test_selected_products_become_pending_and_the_filter_stays(app: Flask, staff: Browser, editor: Api) -> None:
    ids = [editor.create(sku=f"P-{number}")["id"] for number in range(3)]
    change(app, VERIFY_ALL)
    answer = send(staff, "/console/products/resync?q=p", id=[str(ids[0]), str(ids[2]), "x"])
    assert answer.headers["Location"] == "/console/products?q=p"
    with app.app_context():
        query = select(Replication.product_id).where(Replication.state != VERIFIED).order_by(Replication.product_id)
        assert list(db.session.execute(query).scalars()) == [ids[0], ids[2]]


@pytest.mark.parametrize("number", ["99999999999999999999", str(2**63), "-1", "1e3", "x"])
def test_impossible_id_matches_no_product(staff: Browser, number: str) -> None:
    for address in (
        f"/console/products?deleted={number}",
        f"/console/products/states.json?ids={number}",
        f"/console/imports?before={number}",
        f"/console/dead-letters?product={number}",
    ):
        assert staff.get(address).status_code == 200, address
    assert send(staff, "/console/products/resync", id=[number]).status_code == 302


def test_prices_are_shown_and_edited_with_the_decimals_of_their_currency(editor: Api, staff: Browser) -> None:
    yen = editor.create(sku="YEN", price="1250", currency="JPY")["id"]
    editor.create(sku="DINAR", price="1.25", currency="KWD")
    listed = words_of(staff.get("/console/products"))
    assert "JPY 1,250" in listed
    assert "KWD 1.250" in listed
    assert 'value="1250"' in staff.get(page_of(yen, "/edit")).text
    answer = send(staff, page_of(yen, "/edit"), **{**opened(staff, yen), "price": "12.50"})
    assert (answer.status_code, "JPY has no decimals." in answer.text) == (422, True)
