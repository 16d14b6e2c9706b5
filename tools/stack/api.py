"""Clients of the two public REST APIs, for the demo, the flow tests, the benchmark and the fault runs."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import requests

from tools.stack.errors import StackError

_TIMEOUT = (3, 15)  # seconds to connect, to read
_POLL_SECONDS = 0.01
_ANY = {"If-Match": "*"}  # no other caller edits these products


class ApiError(StackError):
    """A service answered with an error; ``status`` is its HTTP status, and the message has the answer's text."""

    def __init__(self, request: str, response: requests.Response) -> None:
        super().__init__(f"{request} was answered {response.status_code}: {response.text[:500].strip()}")
        self.status = response.status_code


class NotSeenError(StackError):
    """The expected state did not appear in time."""


def eventually(seen: Callable[[], bool], *, within: float, what: str = "the expected state") -> float:
    """Poll until ``seen`` returns true; return the seconds it took. Raises NotSeenError after ``within``."""
    start = time.monotonic()
    while not seen():
        if time.monotonic() - start > within:
            raise NotSeenError(f"{what} was not seen within {within:.0f} s")
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - start


class Api:
    """A connection to one service at ``base``, signed in after ``sign_in``. Not thread-safe."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._session = requests.Session()
        self._session.trust_env = False  # ignore proxy settings for loopback
        self._refresh_token = ""

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request and return the answer, of any status. Raises requests' errors where there is none."""
        response = self._session.request(method, f"{self.base}{path}", timeout=_TIMEOUT, **options)
        if response.status_code == HTTPStatus.UNAUTHORIZED and self._refreshed():
            response = self._session.request(method, f"{self.base}{path}", timeout=_TIMEOUT, **options)
        return response

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request; return its successful answer. Raises ApiError for any other."""
        response = self.request(method, path, **options)
        if not response.ok:
            raise ApiError(f"{method} {self.base}{path}", response)
        return response

    def sign_in(self, email: str, password: str) -> str:
        """Sign in with the account and return its bearer token. Raises ApiError."""
        self._refresh_token = ""
        answer = self.ask("POST", "/api/v1/auth/token", json={"email": email, "password": password})
        return self._use(answer.json())

    def _refreshed(self) -> bool:
        """Refresh an expired access token; return whether that succeeded."""
        if not self._refresh_token:
            return False
        bearer = {"Authorization": f"Bearer {self._refresh_token}"}
        self._refresh_token = ""  # it is valid once
        answer = self._session.post(f"{self.base}/api/v1/auth/refresh", headers=bearer, timeout=_TIMEOUT)
        if answer.ok:
            self._use(answer.json())
        return answer.ok

    def _use(self, tokens: dict[str, Any]) -> str:
        self._refresh_token = str(tokens["refresh_token"])
        self._session.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return str(tokens["access_token"])


class AdminApi(Api):
    """Admin: the catalogue."""

    def create(self, product: dict[str, Any]) -> dict[str, Any]:
        """Create a product and return it as Admin shows it. Raises ApiError."""
        return dict(self.ask("POST", "/api/v1/products", json=product).json())

    def get(self, product_id: int) -> dict[str, Any]:
        """Return a product. Raises ApiError."""
        return dict(self.ask("GET", f"/api/v1/products/{product_id}").json())

    def update(self, product_id: int, **changes: Any) -> dict[str, Any]:
        """Change a product, of any version, and return it. Raises ApiError."""
        return dict(self.ask("PATCH", f"/api/v1/products/{product_id}", json=changes, headers=_ANY).json())

    def delete(self, product_id: int) -> None:
        """Delete a product of any version. Raises ApiError."""
        self.ask("DELETE", f"/api/v1/products/{product_id}", headers=_ANY)


class ClientApi(Api):
    """The Client: the shop."""

    def status(self, product_id: int) -> int:
        """Return the HTTP status of a product's page: 200, 404 unknown, 410 deleted."""
        return self.request("GET", f"/api/v1/products/{product_id}").status_code

    def get(self, product_id: int) -> dict[str, Any]:
        """Return a product. Raises ApiError, also where it does not exist."""
        return dict(self.ask("GET", f"/api/v1/products/{product_id}").json())

    def list(self, **query: Any) -> list[dict[str, Any]]:
        """Return one page of products. Raises ApiError."""
        return list(self.ask("GET", "/api/v1/products", params=query).json()["items"])

    def like(self, product_id: int) -> None:
        """Like a product as the signed-in shopper. Raises ApiError."""
        self.ask("PUT", f"/api/v1/products/{product_id}/likes/me")

    def unlike(self, product_id: int) -> None:
        """Remove the like. Raises ApiError."""
        self.ask("DELETE", f"/api/v1/products/{product_id}/likes/me")
