"""What staff do at the console, and what they see of the other side without reloading."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.console import Console, catalogue, main, png
from tests.browser.guard import Guard
from tests.flow.running import STAFF, Running, eventually
from tests.flow.stores import unique_name


@pytest.fixture
def console(product: Running) -> Console:
    return Console(product)


@pytest.fixture
def staff(console: Console, page: Page) -> Page:
    console.sign_in(page)
    return page


def expect_in_step(page: Page) -> None:
    """Wait until the product's page says so, without a reload."""
    expect(page.locator("#sides .chip")).to_have_text("the same on both sides", timeout=10_000)


def test_product_is_made_with_an_image_and_its_likes_rise_by_themselves(console: Console, staff: Page) -> None:
    title = f"Lamp {unique_name()}"
    staff.get_by_role("link", name="Products").click()
    staff.get_by_role("link", name="New product").first.click()
    form = main(staff)
    form.get_by_label("Title").fill(title)
    form.get_by_label("SKU").fill(unique_name())
    form.get_by_label("Category").fill("Lighting")
    form.get_by_label("Price").fill("19,90")
    form.get_by_label("Upload a file").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": png()})
    expect(staff.get_by_label("Preview").get_by_role("heading", name=title)).to_be_visible()
    expect(staff.locator(".preview img")).to_have_attribute("src", re.compile("^data:image/png"))
    form.get_by_role("button", name="Create product").dblclick()
    expect(staff.get_by_role("heading", name=title)).to_be_visible()
    expect_in_step(staff)
    product_id = int(staff.url.rpartition("/")[2])
    shown = console.running.client.get(product_id)
    assert (shown["title"], shown["price"]) == (title, "19.90")
    assert console.running.client.request("GET", shown["image_url"]).headers["Content-Type"] == "image/webp"

    console.running.client.like(product_id)
    expect(main(staff).locator(".pairs div", has_text="Likes").locator("dd")).to_have_text("1")
    staff.get_by_role("link", name="Overview").click()
    count = int(staff.locator("#likes-count").inner_text().replace(",", ""))
    console.running.client.unlike(product_id)
    expect(staff.locator("#likes-count")).to_have_text(f"{count - 1:,}")


def test_two_people_who_edit_at_once_choose_field_by_field(console: Console, staff: Page, guard: Guard) -> None:
    product_id = console.create(description="As it was")
    guard.expect(409, f"/console/products/{product_id}/edit")
    staff.goto(f"{console.url}/products/{product_id}/edit")
    staff.get_by_label("Title").fill("My title")
    staff.get_by_label("Description").fill("My words")
    console.running.admin.update(product_id, title="Their title", price="7.77")
    staff.get_by_role("button", name="Save").click()
    expect(staff.get_by_role("heading", name="Somebody else saved this product meanwhile")).to_be_visible()
    staff.get_by_role("group", name="Title").get_by_label("Theirs").check()
    expect(staff.get_by_role("group", name="Description").get_by_label("Yours")).to_be_checked()
    expect(staff.get_by_role("group", name="Price").get_by_label("Theirs")).to_be_checked()
    staff.get_by_role("button", name="Save what is chosen").click()
    expect_in_step(staff)
    saved = console.running.admin.get(product_id)
    assert (saved["title"], saved["description"], saved["price"]) == ("Their title", "My words", "7.77")


def test_drift_is_shown_field_by_field_and_a_resync_mends_it(console: Console, staff: Page) -> None:
    product_id = console.create(title="Red kettle")
    staff.goto(f"{console.url}/products/{product_id}")
    expect_in_step(staff)
    console.edit_the_copy(product_id, title="Blue kettle")
    row = staff.locator("#sides > table tr.differs")
    expect(row).to_contain_text("Blue kettle")
    expect(row).to_contain_text("differs")
    staff.get_by_role("button", name="Resync").click()
    expect(row).to_have_count(0)
    expect_in_step(staff)
    assert console.running.client.get(product_id)["title"] == "Red kettle"


def test_dead_letter_is_replayed_and_says_by_whom(console: Console, staff: Page) -> None:
    product_id = console.create()
    letter = console.send_poison(product_id)
    staff.get_by_role("link", name="Dead letters").first.click()
    staff.get_by_label("Product", exact=True).fill(str(product_id))
    staff.get_by_role("button", name="Show", exact=True).click()
    staff.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(staff.get_by_label("Payload")).to_contain_text(f'"id": {product_id}')
    staff.go_back()
    staff.get_by_label(f"Choose {letter[:8]}").check()
    staff.get_by_role("button", name="Replay the chosen ones").click()
    staff.goto(f"{console.url}/dead-letters/{letter}")
    state = staff.locator("#letter-state")
    expect(state).to_contain_text("replayed", timeout=15_000)
    expect(state).to_contain_text(f"by {STAFF}")


def test_import_is_watched_and_its_errors_are_downloaded(staff: Page) -> None:
    staff.get_by_role("link", name="Imports").click()
    file = {"name": "spring.csv", "mimeType": "text/csv", "buffer": catalogue("4.50", "cheap", "5.50")}
    staff.get_by_label("Catalogue file").set_input_files(file)
    staff.get_by_role("button", name="Import", exact=True).click()
    expect(staff.get_by_role("heading", name="spring.csv")).to_be_visible()
    expect(staff.locator("#progress .chip")).to_have_text("done", timeout=15_000)
    expect(staff.get_by_role("list", name="Rows")).to_contain_text("New 2")
    expect(staff.get_by_role("row", name="3 price:")).to_be_visible()
    with staff.expect_download() as download:
        staff.get_by_role("link", name="Download as CSV").click()
    assert download.value.path().read_text().startswith('line,reason\n3,"price: ')
    staff.get_by_role("link", name="Imports").first.click()
    expect(staff.get_by_role("row", name="spring.csv")).to_contain_text("done")


def test_delete_is_asked_for_and_undone(console: Console, staff: Page) -> None:
    product_id = console.create(title="Short-lived")
    staff.goto(f"{console.url}/products/{product_id}")
    main(staff).get_by_role("link", name="Delete").click()
    staff.get_by_role("button", name="Delete product").click()
    eventually(lambda: console.running.client.status(product_id) == 410)
    staff.get_by_role("button", name="Undo").click()
    expect_in_step(staff)
    eventually(lambda: console.running.arrived(product_id, title="Short-lived"))


def test_resync_of_everything_runs_on_and_finishes_before_ones_eyes(console: Console, staff: Page) -> None:
    console.create()
    staff.get_by_text("Resync all products…").click()
    staff.get_by_role("button", name="Resync all products", exact=True).click()
    runs = staff.get_by_role("region", name="Resyncs")
    expect(runs).to_contain_text(f"asked for by {STAFF}")
    staff.goto("about:blank")
    staff.goto(console.url)
    expect(runs.get_by_text("finished").first).to_be_visible(timeout=30_000)


def test_what_is_typed_is_not_left_by_mistake(console: Console, staff: Page) -> None:
    staff.goto(f"{console.url}/products/new")
    staff.get_by_label("Title").fill("Half a")
    asked: list[str] = []
    staff.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    staff.get_by_role("link", name="Cancel").click()
    eventually(lambda: asked == ["beforeunload"] or staff.wait_for_timeout(50) is not None)
    assert staff.url.endswith("/new")


def test_everything_works_without_javascript(console: Console, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(java_script_enabled=False).new_page()
    console.sign_in(page)
    page.get_by_role("link", name="Products").click()
    page.get_by_role("link", name="New product").first.click()
    page.get_by_label("Title").fill("Plain thing")
    page.get_by_label("SKU").fill(unique_name())
    page.get_by_label("Category").fill("Kitchen")
    page.get_by_label("Price").fill("3.00")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("Preview").get_by_role("heading", name="Plain thing")).to_be_visible()
    page.get_by_role("button", name="Create product").click()
    expect(page.get_by_role("heading", name="Plain thing")).to_be_visible()
    main(page).get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete product").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Resync").click()
    expect(page.get_by_text("Looking after it")).to_be_visible()
