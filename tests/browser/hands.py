"""How somebody uses a page: with a mouse or a finger, or with the keyboard alone."""

import mimetypes
from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, expect

_FARTHEST = 150  # stops on the way to anything
_ON_IT = """it => {
    const on = document.activeElement, shows = (part) => getComputedStyle(on, part).outlineStyle !== "none";
    if (on.tabIndex >= 0 && !shows() && !shows("::after")) throw new Error(`no focus to be seen on ${on.outerHTML}`);
    return on === it;
}"""


class Hands(Protocol):
    def press(self, target: Locator) -> None:
        """Follow a link, press a button, tick a box."""

    def write(self, field: Locator, text: str) -> None:
        """Put a text in the place of what a field holds."""

    def choose(self, radio: Locator) -> None:
        """Choose one of several."""

    def attach(self, field: Locator, name: str, content: bytes) -> None:
        """Choose a file."""


@dataclass(frozen=True)
class Pointer:
    """A mouse; a finger where ``touch``."""

    touch: bool = False

    def press(self, target: Locator) -> None:
        if self.touch:
            target.tap()
        else:
            target.click()

    def write(self, field: Locator, text: str) -> None:
        field.fill(text)

    def choose(self, radio: Locator) -> None:
        radio.check()

    def attach(self, field: Locator, name: str, content: bytes) -> None:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        field.set_input_files({"name": name, "mimeType": kind, "buffer": content})


@dataclass(frozen=True)
class Keyboard:
    """Tab until it has the focus, which must show at every stop on the way."""

    def press(self, target: Locator) -> None:
        self.reach(target)
        target.page.keyboard.press("Space" if target.get_attribute("type") == "checkbox" else "Enter")

    def write(self, field: Locator, text: str) -> None:
        self.reach(field)
        field.page.keyboard.press("Control+a")
        field.page.keyboard.insert_text(text)

    def choose(self, radio: Locator) -> None:
        group = radio.locator("xpath=ancestor::fieldset")
        self.reach(group.get_by_role("radio", checked=True))
        if not radio.is_checked():
            radio.page.keyboard.press("ArrowDown")
        expect(radio).to_be_checked()

    def attach(self, field: Locator, name: str, content: bytes) -> None:
        self.reach(field)  # what opens then is the system's own window
        Pointer().attach(field, name, content)

    def reach(self, target: Locator) -> None:
        """Give it the focus. Raises AssertionError where Tab never comes by."""
        expect(target).to_be_visible()
        for _stop in range(_FARTHEST):
            if target.evaluate(_ON_IT):
                return
            target.page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached by the keyboard on {target.page.url}")
