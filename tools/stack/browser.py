"""Debian's Chromium as Playwright starts it: for the browser tests and for the screenshots."""

from typing import Any

LAUNCH: dict[str, Any] = {
    "executable_path": "/usr/bin/chromium",
    "args": [
        "--no-sandbox",  # root in a container needs this
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        # The pages load nothing from other hosts; such a request fails.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
}

_SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
LOOKS: dict[str, dict[str, Any]] = {
    f"{size}-{scheme}": {**options, "color_scheme": scheme}
    for size, options in _SIZES.items()
    for scheme in ("light", "dark")
}
"""The looks of a page, as options of a browser context: ``desktop-light``, …, ``phone-dark``."""
