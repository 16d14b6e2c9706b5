"""The shop while everything behind it is down, one after another: worker, Admin, RabbitMQ."""

from playwright.sync_api import Page, expect

from tests.browser.shop import Shop
from tests.flow.running import eventually
from tools.stack.process import start_all
from tools.stack.servers.rabbitmq import RabbitMQ

LATE = "New products and prices may arrive late"
QUICK = 2_000  # ms, on a machine that is busy with the rest of these tests


def test_shop_works_during_outages_and_says_what_is_delayed(shop: Shop, page: Page, rabbitmq: RabbitMQ) -> None:
    running = shop.running.product
    behind = (running.admin, running.relay, running.worker)
    product_id = shop.create(title="Liked in hard times")
    shop.sign_in(page)
    page.goto(shop.url)
    notice = page.locator("#notice")
    expect(notice).to_be_hidden()
    try:
        running.worker.stop()
        expect(notice).to_contain_text(LATE, timeout=30_000)
        expect(notice).to_contain_text("Likes are counted immediately and forwarded later.")
        _browse_and_like(shop, page, product_id, liked=True)
        running.admin.stop()
        running.relay.stop()
        _browse_and_like(shop, page, product_id, liked=False)
        rabbitmq.stop()
        _browse_and_like(shop, page, product_id, liked=True)
        page.goto(shop.url)
        expect(notice).to_contain_text(LATE)
    finally:
        rabbitmq.start()
        rabbitmq.wait_ready()
        start_all([process for process in behind if not process.running])
    expect(notice).to_be_hidden(timeout=60_000)
    eventually(lambda: shop.running.admin.get(product_id)["likes"] == 1, within=60)
    shop.delete(product_id)


def _browse_and_like(shop: Shop, page: Page, product_id: int, *, liked: bool) -> None:
    """Look at the list, open a product and change the like, each as quick as ever."""
    page.goto(shop.url, timeout=QUICK)
    expect(page.locator(".tile").nth(23)).to_be_attached()
    page.goto(f"{shop.url}/products/{product_id}", timeout=QUICK)
    with page.expect_response(f"**/products/{product_id}/like", timeout=QUICK):
        page.get_by_role("button", name="Like").click()
    expect(page.locator("#announce")).to_have_text("Liked. 1 like." if liked else "Like taken back. 0 likes.")
