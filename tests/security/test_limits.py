"""Attacks on the rate limits of both services: floods of refused requests, and attempts against an account."""

import pytest
from flask.testing import FlaskClient

from admin import create_app as create_admin
from admin.config import AdminSettings
from client import create_app as create_client
from client.config import ClientSettings
from tests.contract.compose_check import ADMIN, CLIENT

REFUSED = {
    "no route": ("GET", "/nowhere", {}, 404),
    "no route below a prefix without limits": ("GET", "/assets", {}, 404),
    "another method": ("PUT", "/api/v1/products", {}, 405),
    "another method where GET has no limit": ("POST", "/livez", {}, 405),
    "doubled slashes": ("GET", "/api//v1/products", {}, 308),
    "another type of answer": ("GET", "/api/v1/products", {"headers": {"Accept": "image/png"}}, 406),
    "another type of body": ("POST", "/api/v1/auth/token", {"data": "x", "content_type": "text/plain"}, 415),
    "large body": ("POST", "/api/v1/auth/token", {"data": "x" * 1_100_000, "content_type": "application/json"}, 413),
    "form without its token": ("POST", "/console/sign-out", {}, 400),
}


def app_of(service: str) -> FlaskClient:
    app = create_admin(AdminSettings(**ADMIN)) if service == "admin" else create_client(ClientSettings(**CLIENT))
    return app.test_client()


@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.parametrize("service", ["admin", "client"])
def test_flood_of_refused_requests_is_limited(service: str, refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT", "3/minute")
    client = app_of(service)
    method, path, options, status = REFUSED[refused]
    path = path if service == "admin" else path.replace("/console", "")
    found = [client.open(path, method=method, **options).status_code for _ in range(4)]
    assert found == [status] * 3 + [429]


def test_flood_in_read_only_mode_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT", "3/minute")
    monkeypatch.setenv("READ_ONLY", "true")
    client = app_of("client")
    assert [client.post("/api/v1/shoppers", json={}).status_code for _ in range(4)] == [403] * 3 + [429]
