"""The console for everyone: in both themes, on a phone, with the keyboard alone, and light enough for a slow line."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from stack import commands
from stack.api import AdminApi
from tests.browser.accessible import assert_accessible
from tests.browser.console import Console, main
from tests.browser.guard import Guard
from tests.flow.running import PASSWORD, Running
from tests.flow.stores import unique_name

HEAVIEST = 150_000  # bytes of a page with everything it loads, on the first visit


@pytest.fixture
def console(product: Running) -> Console:
    return Console(product)


@pytest.mark.parametrize("look", ["desktop-light", "phone-dark"], indirect=True)
@pytest.mark.usefixtures("look")
def test_no_page_keeps_anyone_out(console: Console, page: Page, guard: Guard) -> None:
    console.sign_in(page)
    product_id = console.create(title="A product with a rather long title, to see where it breaks")
    gone = console.create()
    console.edit_the_copy(product_id, title="Another title")
    console.running.admin.delete(gone)
    letter = console.send_poison(product_id)
    for path in (
        "/",
        "/?span=day",
        "/products",
        "/products?q=zzz",
        f"/products?state=deleted&deleted={gone}",
        f"/products/{product_id}",
        f"/products/{gone}",
        "/products/new",
        f"/products/{product_id}/delete",
        "/dead-letters",
        f"/dead-letters/{letter}",
        "/imports",
        f"/imports/{console.import_with_an_error()}",
    ):
        page.goto(f"{console.url}{path}")
        _check(page)
    guard.expect(404, "/console/products/999999")
    guard.expect(422, "/console/products/new")
    guard.expect(409, f"/console/products/{product_id}/edit")
    page.goto(f"{console.url}/products/999999")
    _check(page)
    page.goto(f"{console.url}/products/new")
    page.get_by_role("button", name="Create product").click()
    _check(page)
    page.goto(f"{console.url}/products/{product_id}/edit")
    page.get_by_label("Title").fill("Mine")
    console.running.admin.update(product_id, title="Theirs")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Somebody else saved")).to_be_visible()
    _check(page)


def _check(page: Page) -> None:
    """Nobody is kept out, and nothing is wider than the screen."""
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url


def test_viewer_looks_and_is_offered_nothing_to_change(console: Console, page: Page, viewer: str) -> None:
    product_id = console.create()
    console.sign_in(page, viewer)
    for path in ("/", "/products", f"/products/{product_id}", "/dead-letters", "/imports"):
        page.goto(f"{console.url}{path}")
        for name in ("New product", "Resync", "Edit", "Delete", "Replay", "Discard", "Mend", "Import"):
            offered = re.compile(rf"^{name}\b")
            expect(main(page).get_by_role("button", name=offered)).to_have_count(0)
            expect(main(page).get_by_role("link", name=offered)).to_have_count(0)


@pytest.fixture
def viewer(console: Console) -> Iterator[str]:
    email = f"{unique_name()}@example.com"
    account = ["staff", "add", email, "--role", "viewer", "--password-stdin"]
    commands.run_all([(account, f"{PASSWORD}\n")], console.running.product.env)
    with closing(AdminApi(console.running.admin.base)) as api:
        api.sign_in(email, PASSWORD)
    return email


def test_keyboard_alone_makes_and_deletes_a_product(console: Console, page: Page) -> None:
    console.sign_in(page)
    press(page, "Products")
    press(page, "New product")
    title = f"Typed {unique_name()}"
    fields = {"Title": title, "SKU": unique_name(), "Category": "Kitchen", "Price": "4.50"}
    for label, text in fields.items():
        reach(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    press(page, "Delete")
    expect(page.get_by_role("heading", name=f"Delete “{title}”?")).to_be_visible()
    press(page, "Delete product")
    press(page, "Undo")
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def reach(page: Page, name: str) -> None:
    """Press Tab until what is called ``name`` has the focus, which must show."""
    for _ in range(60):
        page.keyboard.press("Tab")
        found, outline = page.evaluate(
            """() => { const it = document.activeElement;
            const name = it.ariaLabel || it.labels?.[0]?.textContent || it.textContent;
            return [name.trim(), getComputedStyle(it).outlineStyle]; }"""
        )
        if found == name or found.startswith(f"{name} ("):
            assert outline != "none", f"the focus on {name} does not show"
            return
    raise AssertionError(f"{name} cannot be reached by the keyboard on {page.url}")


def press(page: Page, name: str) -> None:
    reach(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("path", ["/", "/products"])
def test_pages_are_light_and_nothing_jumps(console: Console, page: Page, path: str) -> None:
    console.sign_in(page)
    page.add_init_script(
        """window.shift = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())
        if (!one.hadRecentInput) window.shift += one.value; }).observe({type: "layout-shift", buffered: true});"""
    )
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(f"{console.url}{path}", wait_until="networkidle")
    loaded = page.evaluate(
        """performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
        .filter((one) => !one.name.endsWith(".json")).reduce((sum, one) => sum + one.transferSize, 0)"""
    )
    assert 0 < loaded < HEAVIEST
    with page.expect_response(lambda response: ".json" in response.url):
        pass  # what it keeps current by itself came once
    page.wait_for_function("document.querySelector('time[data-exact]')")
    assert page.evaluate("window.shift") < 0.02
