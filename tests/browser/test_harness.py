"""The harness itself: pages load, and what is wrong with one is noticed."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessible import assert_accessible
from tests.browser.guard import Guard
from tests.flow.running import Running

POOR = "<title>Poor</title><main><h1>Poor</h1><button></button></main>"


@pytest.mark.parametrize("look", ["desktop-light", "phone-dark"], indirect=True)
def test_both_services_answer_a_browser(product: Running, page: Page, look: str) -> None:
    for url in (product.product.addresses.admin_url, product.product.addresses.client_url):
        answer = page.goto(f"{url}/livez")
        assert answer is not None
        assert answer.ok
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == look.endswith("dark")
    assert page.evaluate("screen.width < 500") == look.startswith("phone")


@pytest.mark.parametrize(
    ("script", "noticed"),
    [
        ("console.error('broken')", "console: broken"),
        ("setTimeout(() => { throw new Error('thrown') })", "uncaught: thrown"),
        ("new Image().src = 'http://example.com/x.png'", "request to another host: http://example.com/x.png"),
        ("fetch('/nothing-here').then(answer => answer.text())", "was answered 404"),
        ("fetch('http://127.0.0.1:1/').catch(() => 0)", "failed: net::"),
    ],
)
def test_what_is_wrong_with_a_page_is_noticed(product: Running, browser: Browser, script: str, noticed: str) -> None:
    url = product.product.addresses.admin_url
    guard = Guard({url.removeprefix("http://")})
    with browser.new_context(bypass_csp=True) as context:  # the policy would stop it first
        guard.watch(context)
        page = context.new_page()
        page.goto(f"{url}/livez")
        page.evaluate(script)
        page.wait_for_timeout(0)  # let events be told
        page.wait_for_load_state("networkidle")
    with pytest.raises(AssertionError, match=noticed.replace("?", r"\?")):
        guard.check()


def test_an_expected_refusal_that_never_came_is_noticed() -> None:
    guard = Guard(set())
    guard.expect(404, "/gone")
    with pytest.raises(AssertionError, match="/gone never answered 404"):
        guard.check()


def test_an_inaccessible_page_is_noticed(page: Page) -> None:
    page.set_content(f'<html lang="en">{POOR}</html>')
    with pytest.raises(AssertionError, match="button-name"):
        assert_accessible(page)
