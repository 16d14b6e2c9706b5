"""The shop for everyone: without JavaScript, with the keyboard alone, in both themes, on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.everyone import assert_for_everyone, watch_shifts
from tests.browser.guard import Guard
from tests.browser.shop import Shop, fill, tile
from tests.flow.stores import unique_name
from tools.stack.api import eventually


def test_everything_works_without_javascript(shop: Shop, new_context: Callable[..., BrowserContext]) -> None:
    product_id = shop.create(title="Plain thing")
    page = new_context(java_script_enabled=False).new_page()
    page.goto(shop.url)
    page.get_by_role("button", name="Theme: auto. Change to light").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_role("link", name="Show more products").click()
    expect(page.locator(".tile").first).to_be_visible()
    page.get_by_label("Search products").fill("plain")
    page.get_by_label("Search products").press("Enter")
    page.get_by_label("Sort by").select_option("Most liked")
    page.get_by_role("button", name="Show", exact=True).click()
    tile(page, product_id).get_by_role("link", name="Like").click()
    page.get_by_role("link", name="Create an account").click()
    email = f"{unique_name()}@example.com"
    fill(page.get_by_role("main"), email)
    page.get_by_role("main").get_by_role("button", name="Create an account").click()
    like = tile(page, product_id).get_by_role("button", name="Like")
    expect(like).to_have_attribute("aria-pressed", "true")
    assert page.url == f"{shop.url}/?q=plain&sort=-likes#p{product_id}"

    def counted() -> bool:
        page.reload()  # the count may be a second old
        return "1 like" in str(like.text_content())

    def taken_back() -> bool:  # a click within half a second of the like is ignored, as the second of a double click
        with page.expect_navigation():
            like.click()
        return like.get_attribute("aria-pressed") == "false"

    eventually(counted, within=10)
    eventually(taken_back, within=10)
    page.get_by_role("link", name="My account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    fill(page.get_by_role("main"), email)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="My account")).to_be_visible()
    shop.delete(product_id)


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize("look", ["desktop-light", "phone-dark"], indirect=True)
def test_every_page_is_accessible(shop: Shop, page: Page, guard: Guard) -> None:
    watch_shifts(page)
    gone = shop.create()
    shop.delete(gone)
    guard.expect(410, f"/products/{gone}")
    guard.expect(404, "/nothing")
    guard.expect(422, "/sign-up")

    def check(path: str) -> None:
        page.goto(f"{shop.url}{path}")
        assert_for_everyone(page)

    for path in ("/", "/?q=zzz", "/products/1", f"/products/{gone}", "/nothing", "/sign-in"):
        check(path)
    page.goto(f"{shop.url}/sign-up?like=1")
    page.get_by_role("main").get_by_role("button").click()
    assert_for_everyone(page)
    page.goto(f"{shop.url}/products/1")
    page.get_by_role("article").get_by_role("link", name="Like").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_for_everyone(page)
    shop.sign_in(page)
    check("/account")
    check("/likes")
    page.goto(f"{shop.url}/products/1")
    page.get_by_role("article").get_by_role("button", name="Like").click()
    expect(page.locator("#announce")).to_contain_text("Liked.")
    assert_for_everyone(page)
    check("/likes")


def test_the_keyboard_is_enough(shop: Shop, page: Page) -> None:
    product_id = shop.create(title="Reached by keys")
    page.goto(shop.url)
    page.evaluate("document.getElementById('tiles').dataset.kept = 'yes'")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    _tab_to(page, f"#p{product_id} .tile-link")
    page.keyboard.press("Tab")
    expect(tile(page, product_id).get_by_role("link", name="Like")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("E-mail")).to_be_focused()
    page.keyboard.press("Escape")
    expect(tile(page, product_id).get_by_role("link", name="Like")).to_be_focused()
    expect(page.locator("#tiles")).to_have_attribute("data-kept", "yes")  # or the focus would have been lost
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("E-mail")).to_be_focused()
    email, api = shop.sign_up_by_api()
    api.close()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type("a password of some length")
    page.keyboard.press("Enter")
    expect(tile(page, product_id).get_by_role("button", name="Like")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#announce")).to_have_text("Like taken back. 0 likes.")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reached by keys")).to_be_visible()
    shop.delete(product_id)


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, and see that each stop on the way shows it."""
    for _ in range(30):
        page.keyboard.press("Tab")
        visible = page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle !== 'none' "
            "|| getComputedStyle(document.activeElement, '::after').outlineStyle !== 'none'"
        )
        assert visible, page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_the_theme_changes_at_once_and_is_kept(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "light")
    for theme in ("light", "dark"):
        page.get_by_role("button", name="Theme:").click()
        expect(root).to_have_attribute("data-theme", theme)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    assert page.evaluate(background) == dark == "rgb(20, 24, 26)"
