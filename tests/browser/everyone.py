"""What every page owes to everyone, in both themes, on a narrow screen and on a slow line."""

from playwright.sync_api import Page

from tests.browser.accessible import assert_accessible
from tests.flow.running import eventually

HEAVIEST = 150_000  # bytes of a page with all that it loads, for who never came before
NARROW = 320  # px
MOST_SHIFT = 0.02  # of layout; 0.1 is called good
_HEADERS = 300  # bytes of each answer, as browsers estimate them

_SHIFT = """window.shift = 0; window.shifted = []; new PerformanceObserver((list) => {
    for (const one of list.getEntries().filter((one) => !one.hadRecentInput)) {
      window.shift += one.value;
      window.shifted.push(...one.sources.map(({ node, previousRect: was, currentRect: is }) =>
        `${node?.outerHTML?.slice(0, 80) ?? node?.nodeName}: ${was.x},${was.y} to ${is.x},${is.y}`));
    } }).observe({type: "layout-shift", buffered: true});"""
_WEIGHT = """performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .filter((one) => !one.initiatorType.includes("fetch"))
    .reduce((sum, one) => sum + one.encodedBodySize + %d, 0)"""
_STILL = "document.getAnimations().every((one) => one.playState !== 'running')"
_PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
_TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
_DARK = "matchMedia('(prefers-color-scheme: dark)').matches"


def watch_shifts(page: Page) -> None:
    """Have every page that is loaded from now on note how far its content jumps."""
    page.add_init_script(_SHIFT)


def assert_for_everyone(page: Page) -> None:
    """Raise AssertionError for what keeps somebody out of the page as it is now. Needs ``watch_shifts`` before."""
    eventually(lambda: page.evaluate(_STILL))
    assert page.evaluate("window.shift") < MOST_SHIFT, f"{page.url} jumps: {page.evaluate('window.shifted')}"
    weight = page.evaluate(_WEIGHT % _HEADERS)
    assert 10_000 < weight < HEAVIEST, f"{page.url} takes {weight} bytes"
    assert_accessible(page)
    _in_the_other_theme(page)
    _on_a_narrow_screen(page)


def _in_the_other_theme(page: Page) -> None:
    """Colours are all that differs there."""
    dark = page.evaluate(_DARK)
    page.emulate_media(color_scheme="light" if dark else "dark", reduced_motion="reduce")
    page.evaluate(_PAINTED)  # the theme follows with the next frame
    eventually(lambda: page.evaluate(_STILL))
    assert_accessible(page, rules=["color-contrast"])
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="null")


def _on_a_narrow_screen(page: Page) -> None:
    """Neither here nor on the narrowest of screens does a page scroll sideways."""
    size = page.viewport_size
    assert size
    for width in (size["width"], NARROW):
        page.set_viewport_size({"width": width, "height": size["height"]})
        assert page.evaluate(_TOO_WIDE) <= 0, f"{page.url} is wider than {width} px"
    page.set_viewport_size(size)
