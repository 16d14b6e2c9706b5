"""axe's rules for WCAG 2.2 AA and good practice, on a page as it is now."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def assert_accessible(page: Page, rules: Sequence[str] = ()) -> None:
    """Raise AssertionError with axe's report when it finds a violation; of ``rules`` only, where they are named."""
    only = {"type": "rule", "values": list(rules)} if rules else list(_TAGS)
    options: dict[str, Any] = {"resultTypes": ["violations"], "runOnly": only}
    found = _AXE.run(page, options=options)
    broken = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n"
        + "\n".join(f"    {node['target']}: {node['failureSummary']}" for node in rule["nodes"])
        for rule in found.response["violations"]
    ]
    assert not broken, "\n".join([f"{page.url} is not accessible:", *broken])
