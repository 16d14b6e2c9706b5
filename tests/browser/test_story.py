"""The whole story: staff make a product, a shopper likes it, and whatever goes wrong on the way is seen and repaired.

Told twice: at a desk with the keyboard alone, and on a phone, in the dark, with a finger.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.console import Console, catalogue, main, png
from tests.browser.guard import Guard
from tests.browser.hands import Hands, Keyboard, Pointer
from tests.browser.shop import Shop, tile
from tests.flow.running import PASSWORD, STAFF, eventually
from tests.flow.stores import unique_name

LOADED = "image => image.complete && image.naturalWidth > 0"


@dataclass(frozen=True)
class Story:
    """Two people, each at a page of their own, and the hands that both use."""

    shop: Shop
    console: Console
    guard: Guard
    staff: Page
    shopper: Page
    hands: Hands

    def go(self, name: str) -> None:
        """Go where the console's navigation leads."""
        self.hands.press(self.staff.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True))
        expect(self.staff.get_by_role("heading", name=name, exact=True)).to_be_visible()

    def press(self, name: str) -> None:
        """Press what is called so on the page that staff see."""
        button, link = (main(self.staff).get_by_role(role, name=name, exact=True) for role in ("button", "link"))
        self.hands.press(button.or_(link).first)

    def write(self, label: str, text: str) -> None:
        self.hands.write(main(self.staff).get_by_label(label, exact=True), text)

    def expect_in_sync(self) -> None:
        """Wait until the product's page says so, without a reload."""
        expect(self.staff.locator("#sides .chip").first).to_have_text("equal on both sides", timeout=10_000)


@pytest.fixture
def story(
    request: pytest.FixtureRequest,
    shop: Shop,
    console: Console,
    guard: Guard,
    new_context: Callable[..., BrowserContext],
    page: Page,
) -> Story:
    """Staff before the sign-in, and a shopper who is signed in and looks at the newest products."""
    shopper = new_context().new_page()
    shop.sign_in(shopper)
    shopper.goto(shop.url)
    shopper.evaluate("window.same = true")
    return Story(shop, console, guard, page, shopper, request.param)


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize(
    ("look", "story"), [("desktop-light", Keyboard()), ("phone-dark", Pointer(touch=True))], indirect=True
)
def test_both_services_show_the_same_state(story: Story) -> None:
    product_id = _staff_make_a_product(story)
    _a_shopper_likes_it(story, product_id)
    _two_people_edit_at_once(story, product_id)
    _drift_is_found_and_repaired(story, product_id)
    _a_dead_letter_is_resynced(story, product_id)
    _a_file_is_imported(story, product_id)
    _a_delete_is_undone(story, product_id)
    assert story.shopper.evaluate("window.same"), "the shop was reloaded"
    story.shop.delete(product_id)


def _staff_make_a_product(story: Story) -> int:
    story.staff.goto(f"{story.console.url}/")
    story.write("E-mail", STAFF)
    story.write("Password", PASSWORD)
    story.press("Sign in")
    story.go("Products")
    story.press("New product")
    title = f"Lamp {unique_name()}"
    for label, text in (("Title", title), ("SKU", unique_name()), ("Category", "Lighting"), ("Price", "19,90")):
        story.write(label, text)
    story.hands.attach(story.staff.get_by_label("Upload a file"), "lamp.png", png())
    expect(story.staff.get_by_label("Preview").get_by_role("heading", name=title)).to_be_visible()
    expect(story.staff.locator(".preview img")).to_have_attribute("src", re.compile("^data:image/png"))
    story.press("Create product")
    expect(story.staff.get_by_role("heading", name=title)).to_be_visible()
    story.expect_in_sync()
    return int(story.staff.url.rpartition("/")[2])


def _a_shopper_likes_it(story: Story, product_id: int) -> None:
    """It came to the shop by itself, with its picture; the like comes to the console by itself."""
    likes = main(story.staff).locator(".pairs div", has_text="Likes").locator("dd")
    expect(likes).to_have_text("0")
    it = tile(story.shopper, product_id)
    expect(it.get_by_text("19.90")).to_be_visible()
    eventually(lambda: it.locator("img").evaluate(LOADED))
    client = story.shop.running.client
    image_url = client.get(product_id)["image_url"]
    eventually(lambda: client.request("GET", image_url).headers["Content-Type"] == "image/webp")
    story.hands.press(it.get_by_role("button", name="Like"))
    expect(it.get_by_role("button", name="Like")).to_contain_text("1 like")
    expect(likes).to_have_text("1", timeout=15_000)


def _two_people_edit_at_once(story: Story, product_id: int) -> None:
    """The other one saves first; then each field's words are chosen, side by side."""
    story.press("Edit")
    story.write("Title", "My title")
    story.write("Description (optional)", "My words")
    story.shop.running.admin.update(product_id, title="Their title", price="7.77")
    story.guard.expect(409, f"/console/products/{product_id}/edit")
    story.press("Save")
    expect(story.staff.get_by_role("heading", name="Someone else saved this product")).to_be_visible()
    group = story.staff.get_by_role("group")
    expect(group.filter(has_text="Price").get_by_label("Theirs")).to_be_checked()
    story.hands.choose(group.filter(has_text="Title").get_by_label("Theirs"))
    expect(group.filter(has_text="Description").get_by_label("Yours")).to_be_checked()
    story.press("Save the chosen values")
    story.expect_in_sync()
    saved = story.shop.running.admin.get(product_id)
    assert (saved["title"], saved["description"], saved["price"]) == ("Their title", "My words", "7.77")
    expect(tile(story.shopper, product_id).get_by_text("Their title", exact=True).first).to_be_visible()


def _drift_is_found_and_repaired(story: Story, product_id: int) -> None:
    """Somebody changed the copy past Lockstep."""
    story.console.edit_the_copy(product_id, title="Nobody's title")
    differs = story.staff.locator("#sides > table tr.differs")
    expect(differs).to_contain_text("Nobody's title")
    expect(differs).to_contain_text("differs")
    story.press("Resync")
    expect(differs).to_have_count(0, timeout=10_000)
    story.expect_in_sync()
    assert story.shop.running.client.get(product_id)["title"] == "Their title"


def _a_dead_letter_is_resynced(story: Story, product_id: int) -> None:
    dead_letter = story.console.send_poison(product_id)
    story.go("Dead letters")
    story.write("Product", str(product_id))
    story.press("Show")
    story.staff.wait_for_url("**product=*")
    story.hands.press(story.staff.get_by_label(f"Select {dead_letter[:8]}"))
    story.press("Resync the selected")
    expect(story.staff.get_by_text("1 dead letter resynced: the relay sends the current state")).to_be_visible()
    story.staff.goto(f"{story.console.url}/dead-letters/{dead_letter}")
    expect(story.staff.get_by_label("Payload")).to_contain_text(f'"id": {product_id}')
    expect(story.staff.locator("#dead-letter-state")).to_contain_text(f"resynced by {STAFF}")


def _a_file_is_imported(story: Story, product_id: int) -> None:
    """What is right in it is taken, what is wrong can be downloaded."""
    story.go("Imports")
    story.hands.attach(story.staff.get_by_label("Catalogue file"), "spring.csv", catalogue("4.50", "cheap", "5.50"))
    story.press("Import")
    expect(story.staff.get_by_role("heading", name="spring.csv")).to_be_visible()
    expect(story.staff.locator("#progress .chip")).to_have_text("done", timeout=15_000)
    expect(story.staff.locator("#counts")).to_contain_text(re.compile(r"New\s*2\s*products created"))
    expect(story.staff.get_by_role("row", name="3 price:")).to_be_visible()
    with story.staff.expect_download() as download:
        story.press("Download as CSV")
    assert download.value.path().read_text().startswith('line,reason\n3,"price: ')
    third = story.shopper.locator(".tile").nth(2)  # below the two that came
    expect(third).to_have_attribute("id", f"p{product_id}")


def _a_delete_is_undone(story: Story, product_id: int) -> None:
    """It is asked for, gone from the shop, and back."""
    story.staff.goto(f"{story.console.url}/products/{product_id}")
    story.press("Delete")
    story.press("Delete product")
    expect(tile(story.shopper, product_id).get_by_text("No longer available")).to_be_visible()
    story.press("Undo")
    story.expect_in_sync()
    expect(tile(story.shopper, product_id).get_by_text("No longer available")).to_be_hidden()
