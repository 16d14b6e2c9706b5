"""Every kind of caller: anonymous, a shopper, staff by role, and the other service; by API, pages and signature."""

import re
from dataclasses import dataclass, field

import requests
from pydantic import SecretStr

from tests.flow.running import PASSWORD
from tests.security.conftest import System
from web.security.signatures import SignedBy, parse_keys

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
_PAGES = {"admin": ("/console/sign-in", "/console/account"), "client": ("/sign-in", "/account")}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FOR_PROGRAMS = ("/api/", "/service/")
TIMEOUT = 20


@dataclass
class Caller:
    """A caller with the same credentials everywhere; ``email`` is an account of ``home``, empty for none."""

    system: System
    name: str
    home: str = ""
    email: str = ""
    pages: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def url(self, service: str) -> str:
        return self.system.admin_url if service == "admin" else self.system.client_url

    def sign_in(self) -> None:
        """Sign in again to the API and the pages."""
        self.pages = requests.Session()
        self.pages.trust_env = False
        if self.email:
            credentials = {"email": self.email, "password": PASSWORD}
            answer = requests.post(f"{self.url(self.home)}/api/v1/auth/token", json=credentials, timeout=TIMEOUT)
            self.token = str(answer.json()["access_token"])
            form = {**credentials, "csrf_token": self.csrf(self.home, _PAGES[self.home][0])}
            page = f"{self.url(self.home)}{_PAGES[self.home][0]}"
            signed = self.pages.post(page, data=form, headers=BROWSER, allow_redirects=False, timeout=TIMEOUT)
            assert signed.status_code in {302, 303}, signed.text

    def csrf(self, service: str, page: str = "") -> str:
        """Return the CSRF token of this session."""
        for path in (page,) if page else reversed(_PAGES[service]):
            shown = self.pages.get(f"{self.url(service)}{path}", headers=BROWSER, timeout=TIMEOUT)
            if found := _CSRF.search(shown.text):
                return found[1]
        raise AssertionError(f"no form on the pages of {service}")

    def ask(self, service: str, method: str, path: str) -> requests.Response:
        """Send a minimal request of this method with all credentials of this caller."""
        url = f"{self.url(service)}{path}"
        if path.startswith(FOR_PROGRAMS):
            headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            body = {} if method in {"POST", "PUT", "PATCH", "DELETE"} else None
            return requests.request(method, url, json=body, headers=headers, auth=self._auth(service), timeout=TIMEOUT)
        form = {"csrf_token": self.csrf(service)} if method == "POST" else None
        return self.pages.request(
            method, url, data=form, headers=BROWSER, auth=self._auth(service), allow_redirects=False, timeout=TIMEOUT
        )

    def _auth(self, service: str) -> SignedBy | None:
        if self.name != "service":
            return None
        return SignedBy(parse_keys(SecretStr(self.system.running.product.env["SERVICE_KEYS"])), service)
