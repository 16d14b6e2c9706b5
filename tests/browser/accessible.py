"""axe's rules for WCAG 2.2 AA and good practice, on a page as it is now."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def assert_accessible(page: Page) -> None:
    """Raise AssertionError with axe's report when it finds a violation."""
    options = {"resultTypes": ["violations"], "runOnly": list(_TAGS)}
    found = _AXE.run(page, options=options)
    rules = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n"
        + "\n".join(f"    {node['target']}: {node['failureSummary']}" for node in rule["nodes"])
        for rule in found.response["violations"]
    ]
    assert not rules, "\n".join([f"{page.url} is not accessible:", *rules])
