"""The console for everyone: in both themes, on a phone, with the keyboard alone, and light enough for a slow line."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import OWNER, VIEWER, Console, Exhibits, main
from tests.browser.everyone import MOST_SHIFT, assert_for_everyone, watch_shifts
from tests.browser.guard import Guard
from tests.flow.stores import unique_name


@pytest.mark.parametrize("look", ["desktop-light", "phone-dark"], indirect=True)
@pytest.mark.usefixtures("look")
def test_every_page_is_accessible(console: Console, exhibits: Exhibits, page: Page, guard: Guard) -> None:
    watch_shifts(page)
    page.goto(f"{console.url}/sign-in")
    assert_for_everyone(page)
    console.sign_in(page, OWNER)
    assert_for_everyone(page)
    for path in (
        "/?span=day",
        "/products",
        "/products?q=zzz",
        f"/products?state=deleted&deleted={exhibits.deleted}",
        f"/products/{exhibits.product}",
        f"/products/{exhibits.deleted}",
        f"/products/{exhibits.product}/delete",
        "/dead-letters",
        f"/dead-letters/{exhibits.dead_letter}",
        "/imports",
        f"/imports/{exhibits.job}",
        "/account",
        "/staff",
        "/api-keys",
        "/audit",
    ):
        page.goto(f"{console.url}{path}")
        assert_for_everyone(page)
    guard.expect(404, "/console/products/999999")
    page.goto(f"{console.url}/products/999999")
    assert_for_everyone(page)
    guard.expect(422, "/console/products/new")
    page.goto(f"{console.url}/products/new")
    page.get_by_role("button", name="Create product").click()
    assert_for_everyone(page)
    guard.expect(409, f"/console/products/{exhibits.product}/edit")
    page.goto(f"{console.url}/products/{exhibits.product}/edit")
    page.get_by_label("Title").fill("Mine")
    console.running.admin.update(exhibits.product, title=f"Theirs {unique_name()}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Someone else saved")).to_be_visible()
    assert_for_everyone(page)


def test_viewer_looks_and_is_offered_nothing_to_change(console: Console, page: Page) -> None:
    product_id = console.create()
    console.sign_in(page, VIEWER)
    for path in ("/", "/products", f"/products/{product_id}", "/dead-letters", "/imports"):
        page.goto(f"{console.url}{path}")
        for name in ("New product", "Resync", "Edit", "Delete", "Discard", "Repair", "Import"):
            offered = re.compile(rf"^{name}\b")
            expect(main(page).get_by_role("button", name=offered)).to_have_count(0)
            expect(main(page).get_by_role("link", name=offered)).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/products"])
def test_what_a_page_keeps_current_does_not_make_it_jump(console: Console, page: Page, path: str) -> None:
    console.sign_in(page)
    watch_shifts(page)
    page.goto(f"{console.url}{path}")
    with page.expect_response(lambda response: ".json" in response.url):
        pass  # what it keeps current by itself came once
    page.wait_for_function("document.querySelector('time[data-exact]')")
    assert page.evaluate("window.shift") < MOST_SHIFT
