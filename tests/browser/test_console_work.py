"""What staff do at the console beside the story: long work, leaving by mistake, a browser without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.console import Console, main
from tests.flow.running import STAFF, eventually
from tests.flow.stores import unique_name


@pytest.fixture
def staff(console: Console, page: Page) -> Page:
    console.sign_in(page)
    return page


def test_resync_of_all_products_continues_without_the_page_and_finishes(console: Console, staff: Page) -> None:
    console.create()
    staff.get_by_text("Resync all products…").click()
    staff.get_by_role("button", name="Resync all products", exact=True).click()
    runs = staff.get_by_role("region", name="Resyncs")
    expect(runs).to_contain_text(f"requested by {STAFF}")
    staff.goto("about:blank")
    staff.goto(console.url)
    expect(runs.get_by_text("finished").first).to_be_visible(timeout=30_000)


def test_overview_counts_likes_as_they_come(console: Console, staff: Page) -> None:
    product_id = console.create()
    count = staff.locator("#likes-count")
    before = count.inner_text()
    console.running.client.like(product_id)
    expect(count).not_to_have_text(before)
    expect(count).to_have_text(re.compile(r"^[1-9][\d,]*$"))


def test_overview_counts_images_that_are_not_in_the_shop_yet(console: Console, staff: Page) -> None:
    on_their_way = staff.get_by_text("1 to be copied to the shop")
    with console.wanting_an_image():
        expect(on_their_way).to_be_visible()
        assert console.running.admin.ask("GET", "/api/v1/replication").json()["client"]["images_wanted"] == 1
    expect(on_their_way).to_be_hidden()


def test_impatient_clicks_make_one_product(console: Console, staff: Page) -> None:
    title, sku = f"Lamp {unique_name()}", unique_name()
    staff.goto(f"{console.url}/products/new")
    for label, text in (("Title", title), ("SKU", sku), ("Category", "Lighting"), ("Price", "4.50")):
        staff.get_by_label(label).fill(text)
    staff.get_by_role("button", name="Create product").dblclick()
    expect(staff.get_by_role("heading", name=title)).to_be_visible()


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
    expect(page.get_by_text("The resync has started.")).to_be_visible()
