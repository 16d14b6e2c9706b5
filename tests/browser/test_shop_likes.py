"""Liking in the shop: in place, at once, taken back when it is refused, live when others like."""

from contextlib import closing

from playwright.sync_api import Page, Route, expect

from tests.browser.guard import Guard
from tests.browser.shop import Shop, fill, tile
from tests.flow.running import PASSWORD, eventually
from tests.flow.stores import unique_name


def test_a_like_that_needs_an_account_goes_through_with_the_sign_up(shop: Shop, page: Page, guard: Guard) -> None:
    product_id = shop.create(title="Worth an account")
    page.goto(shop.url)
    tile(page, product_id).get_by_role("link", name="Like").click()
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog.get_by_label("E-mail")).to_be_focused()
    dialog.get_by_role("link", name="Make an account").click()
    dialog = page.get_by_role("dialog", name="Make an account")
    guard.expect(422, "/sign-up")
    fill(dialog, "not an address", "short")
    dialog.get_by_role("button", name="Make an account").click()
    expect(dialog.get_by_text("This is not an e-mail address.")).to_be_visible()
    expect(dialog.get_by_text("Use 10 to 200 characters.")).to_be_visible()
    fill(dialog, f"{unique_name()}@example.com")
    dialog.get_by_role("button", name="Make an account").click()
    like = tile(page, product_id).get_by_role("button", name="Like")
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_contain_text("1 like")
    expect(like).to_be_focused()
    expect(page.get_by_text("You are signed in, and your like is in.")).to_be_visible()
    eventually(lambda: shop.running.client.get(product_id)["likes"] == 1)
    assert page.url == f"{shop.url}/"
    shop.delete(product_id)


def test_a_like_shows_before_the_answer_and_is_taken_back_when_refused(shop: Shop, page: Page, guard: Guard) -> None:
    product_id = shop.create(title="Soon gone")
    shop.sign_in(page)
    page.goto(f"{shop.url}/products/{product_id}")
    held: list[Route] = []
    page.route(f"**/products/{product_id}/like", lambda route: held.append(route))  # on its way, for as long as we want
    like = page.get_by_role("button", name="Like")
    with page.expect_request(f"**/products/{product_id}/like"):
        like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_contain_text("1 like")
    assert len(held) == 1
    shop.delete(product_id)
    guard.expect(410, f"/products/{product_id}/like")
    held[0].continue_()
    expect(page.get_by_text("This product is no longer available.")).to_be_visible()
    expect(page.locator(".like-button")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-count]")).to_have_text("0")


def test_impatient_clicks_end_as_the_last_one_wanted(shop: Shop, page: Page) -> None:
    product_id = shop.create(title="Clicked often")
    shop.sign_in(page)
    page.goto(f"{shop.url}/products/{product_id}")
    like = page.get_by_role("button", name="Like")
    like.dblclick()
    expect(page.locator("#announce")).to_have_text("Like taken back. 0 likes.")
    expect(like).to_have_attribute("aria-pressed", "false")
    like.click(click_count=3)
    expect(page.locator("#announce")).to_have_text("Liked. 1 like.")
    page.reload()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_contain_text("1 like")
    shop.delete(product_id)


def test_the_count_rises_live_when_others_like_but_not_while_nobody_looks(shop: Shop, page: Page) -> None:
    product_id = shop.create(title="Popular")
    page.clock.install()
    page.goto(f"{shop.url}/products/{product_id}")
    asked: list[str] = []
    page.on("request", lambda request: "/shop/live" in request.url and asked.append(request.url))
    _email, other = shop.sign_up_by_api()
    with closing(other):
        other.like(product_id)
    page.clock.run_for(2_500)
    count = page.locator("#product [data-count]")
    eventually(lambda: page.clock.run_for(2_500) or count.text_content() == "1")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true}); window.away = true;"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    asked.clear()
    page.clock.run_for(30_000)
    assert asked == []
    with page.expect_request("**/shop/live**"):
        page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    shop.delete(product_id)


def test_my_likes_hold_what_i_like_and_name_what_is_gone(shop: Shop, page: Page) -> None:
    kept, deleted = shop.create(title="Kept"), shop.create(title="Deleted later")
    shop.sign_in(page)
    page.goto(f"{shop.url}/likes")
    expect(page.get_by_role("heading", name="Nothing liked yet")).to_be_visible()
    for product_id in (kept, deleted):
        page.goto(f"{shop.url}/products/{product_id}")
        page.get_by_role("button", name="Like").click()
        expect(page.locator("#announce")).to_have_text("Liked. 1 like.")
    shop.delete(deleted)
    page.get_by_role("link", name="My likes").click()
    expect(page.get_by_text("No longer available", exact=True).locator("visible=true")).to_have_count(1)
    tile(page, kept).get_by_role("button", name="Like").click()
    expect(page.locator("#announce")).to_have_text("Like taken back. 0 likes.")
    page.reload()
    expect(tile(page, kept)).to_have_count(0)
    shop.delete(kept)


def test_an_account_changes_its_password_and_is_erased(shop: Shop, page: Page, guard: Guard) -> None:
    email = shop.sign_in(page)
    page.goto(f"{shop.url}/account")
    page.get_by_label("Password so far").fill("not the password")
    page.get_by_label("New password").fill("another password of some length")
    guard.expect(403, "/account/password")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is not right.")).to_be_visible()
    page.get_by_label("Password so far").fill(PASSWORD)
    page.get_by_label("New password").fill("another password of some length")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.get_by_text("Erase my account …").click()
    page.get_by_label("Your password, to be sure").fill("another password of some length")
    page.get_by_role("button", name="Erase my account for good").click()
    expect(page.get_by_text("Your account is erased")).to_be_visible()
    page.goto(f"{shop.url}/sign-in")
    fill(page.get_by_role("main"), email, "another password of some length")
    guard.expect(422, "/sign-in")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong e-mail or password.")).to_be_visible()
