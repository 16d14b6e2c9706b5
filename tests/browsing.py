"""A browser without JavaScript for tests of pages, with cookies and CSRF tokens."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


class Browser:
    """Reads pages of ``client`` and posts their forms; ``base`` is a page with a form for all visitors."""

    def __init__(self, client: FlaskClient, sign_in: str) -> None:
        self.client, self._sign_in = client, sign_in

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, headers=HTML, **options)

    def post(self, path: str, *, form_on: str, headers: dict[str, str] = HTML, **fields: Any) -> TestResponse:
        """Send the form on the page ``form_on`` to ``path``, or as a script on that page with JSON headers."""
        token = self.csrf_token(form_on)
        return self.client.post(path, headers=headers, data={**fields, "csrf_token": token})

    def csrf_token(self, page: str) -> str:
        """Return the token in the forms of ``page``."""
        answer = self.get(page)
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        assert found, f"{page} has no form: {answer.status} {answer.text[:500]}"
        return found[1]

    def is_signed_in(self) -> bool:
        answer = self.get(self._sign_in.replace("/sign-in", "/account"))
        assert answer.status_code in {200, 302}
        return answer.status_code == 200

    def sign_in(self, email: str, password: str, **fields: Any) -> TestResponse:
        """Sign in by the sign-in page."""
        return self.post(self._sign_in, form_on=self._sign_in, email=email, password=password, **fields)
