"""Signing in as the pages do, without the pages: by their forms, once."""

import re

import requests
from playwright.sync_api import Page

from tests.flow.running import PASSWORD

_TIMEOUT = 30  # seconds


def sign_in_by_form(url: str, email: str) -> dict[str, str]:
    """Send the form at ``url`` and return the cookies that it is answered with."""
    with requests.Session() as session:
        form = session.get(url, headers={"Accept": "text/html"}, timeout=_TIMEOUT).text
        [token, *_others] = re.findall(r'name="csrf_token" value="([^"]+)"', form)
        fields = {"email": email, "password": PASSWORD, "csrf_token": token}
        headers = {"Accept": "text/html"}
        answer = session.post(url, fields, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
        assert answer.status_code == 303, answer.text
        return dict(session.cookies)


def use(page: Page, url: str, cookies: dict[str, str]) -> None:
    """Have the browser hold ``cookies`` of the site at ``url``."""
    page.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
