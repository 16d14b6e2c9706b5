"""What the tests of the console's pages share: sending a form, and reading what a page says."""

import re
from html import unescape
from typing import Any

from werkzeug.test import TestResponse

from tests.browsing import Browser

SIGN_IN = "/console/sign-in"


def send(browser: Browser, path: str, **fields: Any) -> TestResponse:
    return browser.post(path, form_on="/console/account", **fields)


def words_of(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())
