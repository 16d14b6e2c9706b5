"""Liking in the shop: in place, at once, taken back when it is refused, live when others like."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from pymongo.collection import Collection

from client.likes.service import DOUBLE_CLICK
from tests.browser.guard import Guard
from tests.browser.shop import Shop, fill, tile
from tests.flow.likes_traffic import shop_store
from tests.flow.running import PASSWORD, eventually
from tests.flow.stores import unique_name


@pytest.fixture
def likes(shop: Shop) -> Iterator[Collection[dict[str, Any]]]:
    """The Client's own documents, so that a test says when a like last changed."""
    with shop_store(shop.running) as store:
        yield store.get_default_database()["likes"]


def test_a_like_that_needs_an_account_goes_through_with_the_sign_up(shop: Shop, page: Page, guard: Guard) -> None:
    product_id = shop.create(title="Worth an account")
    page.goto(shop.url)
    tile(page, product_id).get_by_role("link", name="Like").click()
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog.get_by_label("E-mail")).to_be_focused()
    dialog.get_by_role("link", name="Create an account").click()
    dialog = page.get_by_role("dialog", name="Create an account")
    guard.expect(422, "/sign-up")
    fill(dialog, "not an address", "short")
    dialog.get_by_role("button", name="Create an account").click()
    expect(dialog.get_by_text("This is not an e-mail address.")).to_be_visible()
    expect(dialog.get_by_text("Use 10 to 200 characters.")).to_be_visible()
    fill(dialog, f"{unique_name()}@example.com")
    dialog.get_by_role("button", name="Create an account").click()
    like = tile(page, product_id).get_by_role("button", name="Like")
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_contain_text("1 like")
    expect(like).to_be_focused()
    expect(page.get_by_text("You are signed in. Your like is saved.")).to_be_visible()
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


def test_two_clicks_within_half_a_second_are_one(shop: Shop, page: Page) -> None:
    product_id = shop.create(title="Clicked twice")
    shop.sign_in(page)
    page.clock.install()
    page.goto(f"{shop.url}/products/{product_id}")
    page.clock.pause_at(page.evaluate("Date.now()") + 60_000)
    sent: list[str] = []
    page.on("request", lambda request: request.url.endswith("/like") and sent.append(request.url))
    like = page.get_by_role("button", name="Like")
    like.dblclick()
    expect(page.locator("#announce")).to_have_text("Liked. 1 like.")
    page.clock.run_for(499)
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    page.clock.run_for(1)
    like.click()
    expect(page.locator("#announce")).to_have_text("Like taken back. 0 likes.")
    page.clock.run_for(500)
    like.dblclick()
    expect(page.locator("#announce")).to_have_text("Liked. 1 like.")
    assert len(sent) == 3
    page.clock.resume()
    page.reload()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_contain_text("1 like")
    shop.delete(product_id)


def test_impatient_clicks_end_as_the_last_one_wanted(shop: Shop, page: Page) -> None:
    product_id = shop.create(title="Clicked often")
    shop.sign_in(page)
    page.clock.install()
    page.goto(f"{shop.url}/products/{product_id}")
    held: list[Route] = []
    page.route(f"**/products/{product_id}/like", lambda route: route.continue_() if held else held.append(route))
    like = page.get_by_role("button", name="Like")
    for pressed in ("true", "false", "true", "false"):
        like.click()
        expect(like).to_have_attribute("aria-pressed", pressed)
        page.clock.run_for(500)
    assert len(held) == 1  # the others wait for its answer
    held[0].continue_()
    expect(page.locator("#announce")).to_have_text("Like taken back. 0 likes.")
    page.reload()
    expect(like).to_have_attribute("aria-pressed", "false")
    shop.delete(product_id)


def test_double_click_without_javascript_is_one_click(
    shop: Shop, new_context: Callable[..., BrowserContext], likes: Collection[dict[str, Any]]
) -> None:
    product_id = shop.create(title="Clicked twice without a script")
    page = new_context(java_script_enabled=False).new_page()
    shop.sign_in(page)
    page.goto(f"{shop.url}/products/{product_id}")
    like = page.get_by_role("button", name="Like")
    like.dblclick()
    expect(like).to_have_attribute("aria-pressed", "true")
    # The first click's page may be there before the second click, which then means the opposite.
    for _try in range(50):
        likes.update_one({"product": product_id}, {"$set": {"at": (now := datetime.now(UTC))}})
        with page.expect_navigation():
            like.click()
        if datetime.now(UTC) - now < DOUBLE_CLICK:
            break
        if like.get_attribute("aria-pressed") == "false":
            likes.update_one({"product": product_id}, {"$set": {"at": now - timedelta(minutes=1)}})
            with page.expect_navigation():
                like.click()
    else:
        raise AssertionError("no click was quick enough")
    expect(like).to_have_attribute("aria-pressed", "true")
    likes.update_one({"product": product_id}, {"$set": {"at": datetime.now(UTC) - DOUBLE_CLICK}})
    like.click()
    expect(like).to_have_attribute("aria-pressed", "false")
    shop.delete(product_id)


def test_count_updates_live_while_the_page_is_visible_only(shop: Shop, page: Page) -> None:
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
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill("another password of some length")
    guard.expect(403, "/account/password")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is wrong.")).to_be_visible()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill("another password of some length")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.get_by_text("Erase my account …").click()
    page.get_by_label("Confirm with your password").fill("another password of some length")
    page.get_by_role("button", name="Erase my account permanently").click()
    expect(page.get_by_text("Your account is erased")).to_be_visible()
    page.goto(f"{shop.url}/sign-in")
    fill(page.get_by_role("main"), email, "another password of some length")
    guard.expect(422, "/sign-in")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong e-mail or password.")).to_be_visible()
