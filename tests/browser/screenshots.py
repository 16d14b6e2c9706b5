"""Screenshots of the pages for docs/screenshots. ``scripts/screenshots`` takes them."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from decimal import Decimal

import pytest
import sqlalchemy as sa
from bson import Decimal128
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.console import OWNER, Console
from tests.browser.guard import Guard
from tests.browser.shop import Shop
from tests.flow.running import PASSWORD, eventually
from tools.stack.api import ClientApi
from tools.stack.browser import LOOKS
from tools.stack.product import ROOT

FOLDER = ROOT / "docs" / "screenshots"
MAX_HEIGHT = 1100  # px; a longer page is cut off
WHOLE_PAGE = 2400  # px
COLOURS = 128  # no visible difference, in a quarter of the bytes
SHOPPERS = 9
SPREAD = ("changed_at", "first_sent_at", "applied_at", "verified_at")
STILL = """document.getAnimations().every(a => a.playState !== "running")
    && [...document.images].every(i => i.complete || i.loading === "lazy")"""

Camera = Callable[..., Page]


@pytest.fixture(scope="session", autouse=True)
def busy_hour(shop: Shop) -> None:
    """Like products as several shoppers, and change all of them.

    The changes are moved back over the last hour, because the chart of the lag would be a single bar.
    docs/pages.md says so.
    """
    items = shop.running.client.list(limit=50)
    products = [item["id"] for item in items]
    for item in items:
        shop.running.admin.update(item["id"], price=str(Decimal(item["price"]) + 1))
    for number in range(SHOPPERS):
        with closing(ClientApi(shop.url)) as api:
            email = f"shopper-{number}@example.com"
            api.ask("POST", "/api/v1/shoppers", json={"email": email, "password": PASSWORD})
            api.sign_in(email, PASSWORD)
            for product_id in products[number % 3 :: 1 + number % 4]:
                api.like(product_id)
    eventually(lambda: shop.running.admin.ask("GET", "/api/v1/replication").json()["state"] == "in_sync")
    engine = sa.create_engine(shop.running.product.addresses.database_url)
    with engine.begin() as connection:
        earlier = ", ".join(f"{name} = {name} - INTERVAL (product_id * 67 % 57) MINUTE" for name in SPREAD)
        connection.execute(sa.text(f"UPDATE product_changes SET {earlier}"))
    engine.dispose()


@pytest.fixture
def camera(browser: Browser, guard: Guard) -> Iterator[Camera]:
    """``camera(look)`` opens a page with the options ``LOOKS[look]``."""
    with ExitStack() as opened:

        def new_page(look: str = "desktop-light") -> Page:
            context = opened.enter_context(browser.new_context(**LOOKS[look]))
            guard.watch(context)
            return context.new_page()

        yield new_page


def take(page: Page, name: str, url: str = "", max_height: int = MAX_HEIGHT) -> None:
    """Take a screenshot of the page as it is, or of ``url``, once all animations have ended."""
    if url:
        page.goto(url, wait_until="networkidle")
    page.mouse.move(0, 0)
    eventually(lambda: page.evaluate(STILL))
    size = page.viewport_size
    assert size
    height = size["height"]
    if not page.locator("dialog[open]").count():  # a dialog covers the screen, not the whole page
        height = min(max(page.evaluate("document.documentElement.scrollHeight"), height), max_height)
    content = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": size["width"], "height": height})
    FOLDER.mkdir(exist_ok=True)
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


def test_shop(shop: Shop, camera: Camera, guard: Guard) -> None:
    page = camera()
    take(page, "shop", shop.url)
    page.locator(".like a").nth(1).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    take(page, "shop-sign-in")
    shop.sign_in(page)
    for number in (2, 9, 21, 40):
        page.goto(f"{shop.url}/products/{number}")
        page.get_by_role("button", name="Like").click()
        expect(page.locator("#announce")).to_contain_text("Liked.")
    take(page, "shop-product")
    take(page, "shop-likes", f"{shop.url}/likes")
    take(page, "shop-search", f"{shop.url}/?q=lamp")
    take(page, "shop-account", f"{shop.url}/account")
    gone = shop.create(title="Sold out")
    shop.delete(gone)
    guard.expect(410, f"/products/{gone}")
    take(page, "shop-gone", f"{shop.url}/products/{gone}")
    dark = camera("desktop-dark")
    take(dark, "shop-dark", shop.url)
    phone = camera("phone-light")
    take(phone, "shop-phone", shop.url)
    take(camera("phone-dark"), "shop-product-phone", f"{shop.url}/products/9")


def test_console(console: Console, camera: Camera, guard: Guard) -> None:
    page, dark, phone = camera(), camera("desktop-dark"), camera("phone-light")
    take(page, "console-sign-in", f"{console.url}/sign-in")
    for one in (page, dark, phone):
        console.sign_in(one, OWNER)
    take(page, "console", console.url)
    take(dark, "console-dark", console.url)
    take(phone, "console-phone", console.url, max_height=WHOLE_PAGE)
    take(page, "console-products", f"{console.url}/products")
    take(phone, "console-products-phone", f"{console.url}/products")
    take(page, "console-editor", f"{console.url}/products/5/edit")
    take(page, "console-delete", f"{console.url}/products/5/delete")
    page.goto(f"{console.url}/products/3/edit")
    page.get_by_label("Title").fill("Chef's knife, forged, 20 cm")
    console.running.admin.update(3, title="Chef's knife, 20 cm, Solingen", price="94.00")
    guard.expect(409, "/console/products/3/edit")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Someone else saved")).to_be_visible()
    take(page, "console-conflict")


def test_console_in_trouble(console: Console, camera: Camera) -> None:
    page, dark, phone = camera(), camera("desktop-dark"), camera("phone-dark")
    for one in (page, dark, phone):
        console.sign_in(one, OWNER)
    console.edit_the_copy(1, title="Blue kettle", price=Decimal128("39.90"))
    page.goto(f"{console.url}/products/1")
    expect(page.locator("tr.differs").first).to_be_visible()
    take(page, "console-product", max_height=WHOLE_PAGE)
    take(dark, "console-product-dark", f"{console.url}/products/1")
    take(phone, "console-product-phone", f"{console.url}/products/1")
    console.send_poison(12)
    dead_letter = console.send_poison(31)
    take(phone, "console-dead-letters-phone", f"{console.url}/dead-letters")
    take(page, "console-dead-letters", f"{console.url}/dead-letters")
    take(page, "console-dead-letter", f"{console.url}/dead-letters/{dead_letter}")
    job = console.import_with_an_error()
    take(page, "console-imports", f"{console.url}/imports")
    take(page, "console-import", f"{console.url}/imports/{job}")
    for name in ("staff", "api-keys", "audit", "account"):
        take(page, f"console-{name}", f"{console.url}/{name}")
