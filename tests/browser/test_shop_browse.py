"""Looking around in the shop: search, filter, endless list, a product, and what changes meanwhile."""

from playwright.sync_api import Page, expect

from tests.browser.guard import Guard
from tests.browser.shop import Shop, tile
from tests.flow.running import eventually


def test_search_answers_as_one_types_and_the_url_says_so(shop: Shop, page: Page) -> None:
    lamps = shop.matching(q="lamp")
    page.goto(shop.url)
    page.get_by_label("Search products").press_sequentially("LAMP")
    expect(page.locator(".tile")).to_have_count(lamps)
    expect(page.get_by_text("Products for “LAMP”")).to_be_visible()
    expect(page.locator("#announce")).to_have_text(f"{lamps} products.")
    assert page.url.endswith("/?q=LAMP")
    page.reload()
    expect(page.locator(".tile")).to_have_count(lamps)
    page.go_back()
    expect(page.locator(".tile")).to_have_count(24)
    expect(page.get_by_label("Search products")).to_have_value("")
    page.get_by_label("Search products").fill("zzz")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("link", name="Clear the search").click()
    expect(page.locator(".tile")).to_have_count(24)


def test_a_category_and_an_order_are_kept_while_searching(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    page.get_by_role("link", name="Kitchen", exact=True).click()
    expect(page.get_by_role("heading", name="Kitchen")).to_be_visible()
    expect(page.get_by_role("link", name="Kitchen", exact=True)).to_have_attribute("aria-current", "true")
    page.get_by_label("Sort by").select_option("Most liked")
    page.wait_for_url("**/?category=Kitchen&sort=-likes")
    page.get_by_label("Search products").fill("mug")
    page.wait_for_url("**/?q=mug&category=Kitchen&sort=-likes")
    expect(page.locator(".tile")).to_have_count(shop.matching(q="mug", category="Kitchen"))


def test_list_grows_while_scrolling_and_back_returns_to_the_same_place(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    expect(page.locator(".tile")).to_have_count(24)
    page.locator(".tile").last.scroll_into_view_if_needed()
    expect(page.locator(".tile").nth(47)).to_be_attached()
    page.wait_for_url("**pages=2**")
    page.locator(".tile").nth(40).scroll_into_view_if_needed()
    left_at = page.evaluate("scrollY")
    assert left_at > 1000
    page.locator(".tile-link").nth(40).click()
    expect(page.locator("#product")).to_be_visible()
    page.go_back()
    expect(page.locator(".tile").nth(40)).to_be_in_viewport()
    eventually(lambda: abs(page.evaluate("scrollY") - left_at) < 60)
    page.locator(".tile-link").nth(40).click()
    page.get_by_role("link", name="All products").click()
    eventually(lambda: abs(page.evaluate("scrollY") - left_at) < 60)


def test_what_changes_shows_without_a_reload(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    page.evaluate("window.same = true")
    product_id = shop.create(title="Brand-new lantern", price="10.00")
    expect(tile(page, product_id).locator(".tile-title")).to_be_visible()
    shop.running.admin.update(product_id, price="8.50")
    expect(tile(page, product_id).get_by_text("8.50")).to_be_visible()
    shop.delete(product_id)
    expect(tile(page, product_id).get_by_text("No longer available")).to_be_visible()
    expect(tile(page, product_id).locator(".like")).to_be_hidden()
    assert page.evaluate("window.same")


def test_new_products_never_push_away_what_one_reads(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    page.locator(".tile").nth(20).scroll_into_view_if_needed()
    product_id = shop.create(title="Quiet arrival")
    page.get_by_role("button", name="Show new products").click()
    expect(tile(page, product_id)).to_be_in_viewport()
    shop.delete(product_id)


def test_a_deleted_product_says_so(shop: Shop, page: Page, guard: Guard) -> None:
    product_id = shop.create(title="Short-lived")
    page.goto(f"{shop.url}/products/{product_id}")
    shop.delete(product_id)
    expect(page.get_by_text("removed from the catalogue")).to_be_visible()
    guard.expect(410, f"/products/{product_id}")
    page.reload()
    expect(page.get_by_role("heading", name="This product is no longer available")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(4)
    guard.expect(404, "/products/999999999")
    page.goto(f"{shop.url}/products/999999999")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


def test_a_picture_that_is_missing_or_broken_leaves_a_placeholder(shop: Shop, page: Page, guard: Guard) -> None:
    broken = shop.create(image_url="/static/samples/nothing.svg")
    without = shop.create()
    guard.expect(404, "/static/samples/nothing.svg")
    page.goto(shop.url)
    for product_id in (broken, without):
        expect(tile(page, product_id).locator(".picture > .icon")).to_be_visible()
        expect(tile(page, product_id).locator(".picture img:not(.broken)")).to_have_count(0)
    box = tile(page, broken).locator(".picture").bounding_box()
    assert box
    assert abs(box["width"] - box["height"]) < 1
    for product_id in (broken, without):
        shop.delete(product_id)
