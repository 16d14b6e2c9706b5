"""The moving picture of an outage for the README: docs/screenshots/outage.webp. ``scripts/screenshots`` makes it."""

import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.console import Console
from tests.browser.guard import Guard
from tests.browser.screenshots import FOLDER, STILL
from tests.browser.shop import Shop
from tests.flow.running import eventually
from tools.stack.servers.rabbitmq import RabbitMQ

OLD_PRICE, NEW_PRICE = "50.90", "44.90"
CONSOLE_WIDTH, SHOP_WIDTH, HEIGHT = 720, 400, 590  # px
MARGIN, CAPTION_HEIGHT, LABEL_HEIGHT = 16, 56, 30  # px
FRAME_DURATION, LAST_FRAME_DURATION = 3_000, 6_000  # ms
MAX_SIZE = 1_000_000  # bytes
INK, MUTED, PAPER = "#1b2327", "#5b6468", "#e9e6df"
RUNNING, STOPPED = "#17633f", "#a11d1d"


@dataclass
class Film:
    """Frames of the console and the shop side by side, each under a caption and the broker's state."""

    console: Page
    shop: Page
    frames: list[Image.Image] = field(default_factory=list)

    def shoot(self, caption: str, *, broker_runs: bool) -> None:
        """Add a frame of both pages as they are now."""
        width = CONSOLE_WIDTH + SHOP_WIDTH + 3 * MARGIN
        frame = Image.new("RGB", (width, CAPTION_HEIGHT + LABEL_HEIGHT + HEIGHT + MARGIN), PAPER)
        draw = ImageDraw.Draw(frame)
        middle = CAPTION_HEIGHT // 2
        draw.rectangle((0, 0, width, CAPTION_HEIGHT), fill=INK)
        text = f"{len(self.frames) + 1}   {caption}"
        draw.text((MARGIN, middle), text, font=ImageFont.load_default(24), fill="white", anchor="lm")
        state, colour = ("RabbitMQ runs", RUNNING) if broker_runs else ("RabbitMQ is stopped", STOPPED)
        draw.rounded_rectangle((width - 230, 11, width - MARGIN, CAPTION_HEIGHT - 11), radius=8, fill=colour)
        centre = (2 * width - 230 - MARGIN) // 2
        draw.text((centre, middle), state, font=ImageFont.load_default(19), fill="white", anchor="mm")
        views = ((self.console, CONSOLE_WIDTH, "Console of Admin"), (self.shop, SHOP_WIDTH, "Shop of the Client"))
        left = MARGIN
        for page, page_width, label in views:
            position = (left, CAPTION_HEIGHT + LABEL_HEIGHT // 2)
            draw.text(position, label, font=ImageFont.load_default(17), fill=MUTED, anchor="lm")
            frame.paste(_picture(page, page_width), (left, CAPTION_HEIGHT + LABEL_HEIGHT))
            left += page_width + MARGIN
        self.frames.append(frame)

    def save(self) -> None:
        first, *others = self.frames
        durations = [FRAME_DURATION] * len(others) + [LAST_FRAME_DURATION]
        options: dict[str, Any] = {"save_all": True, "append_images": others, "duration": durations, "loop": 0}
        path = FOLDER / "outage.webp"
        first.save(path, quality=80, method=6, **options)
        assert path.stat().st_size < MAX_SIZE


@pytest.fixture
def film(browser: Browser, guard: Guard) -> Iterator[Film]:
    with ExitStack() as opened:

        def new_page(width: int) -> Page:
            options: dict[str, Any] = {"viewport": {"width": width, "height": 1400}, "color_scheme": "light"}
            context = opened.enter_context(browser.new_context(**options))
            guard.watch(context)
            return context.new_page()

        yield Film(new_page(CONSOLE_WIDTH), new_page(SHOP_WIDTH))


def test_outage(console: Console, shop: Shop, film: Film, rabbitmq: RabbitMQ) -> None:
    product_id = console.create(
        sku="KIT-7001", title="Copper kettle", price=OLD_PRICE, image_url="/static/samples/kettle.svg"
    )
    product_url = f"{console.url}/products/{product_id}"
    console.sign_in(film.console)
    film.console.goto(product_url)
    film.shop.goto(f"{shop.url}/products/{product_id}")
    film.shoot(f"Both sides show {OLD_PRICE}", broker_runs=True)
    try:
        rabbitmq.stop()
        film.shoot("RabbitMQ is stopped", broker_runs=False)
        film.console.goto(f"{product_url}/edit")
        film.console.get_by_label("Price").fill(NEW_PRICE)
        film.shoot(f"Staff change the price to {NEW_PRICE}", broker_runs=False)
        film.console.get_by_role("button", name="Save").click()
        film.console.goto(product_url)
        expect(_price(film.console)).to_contain_text(NEW_PRICE)
        film.shoot("The change is saved; the Client will get it later", broker_runs=False)
        film.shop.reload()
        expect(film.shop.get_by_role("main")).to_contain_text(OLD_PRICE)
        film.shoot(f"The shop works and still shows {OLD_PRICE}", broker_runs=False)
    finally:
        rabbitmq.start()
        rabbitmq.wait_ready()
    film.shoot("RabbitMQ is started", broker_runs=True)
    expect(film.shop.get_by_role("main")).to_contain_text(NEW_PRICE, timeout=60_000)
    eventually(lambda: console.replication(product_id)["state"] == "verified")
    film.console.reload()
    film.shoot(f"The new price {NEW_PRICE} arrives without a reload", broker_runs=True)
    film.save()


def _price(page: Page) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Price"))


def _picture(page: Page, width: int) -> Image.Image:
    """Return the part of the page from the end of its navigation on."""
    page.mouse.move(0, 0)
    eventually(lambda: page.evaluate(STILL))
    box = page.get_by_role("main").bounding_box()
    assert box
    content = page.screenshot(clip={"x": 0, "y": box["y"], "width": width, "height": HEIGHT})
    with Image.open(io.BytesIO(content)) as picture:
        return picture.convert("RGB")
