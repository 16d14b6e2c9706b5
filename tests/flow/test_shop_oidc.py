"""Sign-in by an OpenID Connect issuer, which runs as a process of its own, and every token it must not be believed."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask

from client import create_app
from client.config import ClientSettings
from client.store import database
from runtime.settings import SettingsError
from tests.browsing import Browser
from tests.flow.stores import client_store_on, unique_name
from tests.issuer import CLIENT_ID, CLIENT_SECRET
from tools.stack import readiness
from tools.stack.ports import HOST, free_port
from tools.stack.process import Process
from tools.stack.product import ROOT
from tools.stack.servers.secantus import Secantus

START, DONE = "/sign-in/oidc", "/sign-in/oidc/done"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    process = Process(
        "issuer",
        [sys.executable, "-m", "tests.issuer", str(port)],
        log=tmp_path_factory.mktemp("issuer") / "issuer.log",
        env=os.environ,
        cwd=Path(ROOT),
        ready=lambda: readiness.answers_ok(port, "/jwks"),
    )
    try:
        process.start()
        process.wait_ready()
        yield f"http://{HOST}:{port}"
    finally:
        process.stop()


@pytest.fixture(scope="module")
def settings(secantus: Secantus) -> Iterator[ClientSettings]:
    with client_store_on(secantus.url(unique_name())) as settings:
        yield settings


def shop_with(settings: ClientSettings, issuer: str) -> Flask:
    configured = {
        "client_oidc_issuer": issuer,
        "client_oidc_client_id": CLIENT_ID,
        "client_oidc_client_secret": CLIENT_SECRET,
        "client_public_url": "https://shop.example.com/",
    }
    return create_app(ClientSettings(**{**settings.model_dump(), **configured}))


@pytest.fixture(scope="module")
def app(settings: ClientSettings, issuer: str) -> Flask:
    return shop_with(settings, issuer)


@pytest.fixture
def visitor(app: Flask) -> Iterator[Browser]:
    yield Browser(app.test_client(), "/sign-in")
    database()["shoppers"].delete_many({})


def begin(visitor: Browser, issuer: str, **next_tokens: Any) -> str:
    """Go to the issuer and return where it sends the browser back to; ``next_tokens`` spoil what it says then."""
    requests.post(f"{issuer}/next", json=next_tokens, timeout=5).raise_for_status()
    to = visitor.get(f"{START}?next=/account").headers["Location"]
    assert to.startswith(f"{issuer}/authorize?")
    assert {"state", "nonce", "code_challenge"} <= parse_qs(urlsplit(to).query).keys()
    back = urlsplit(requests.get(to, allow_redirects=False, timeout=5).headers["Location"])
    assert back.path == DONE
    return f"{back.path}?{back.query}"


def test_shopper_signs_in_by_the_issuer_and_again(visitor: Browser, issuer: str) -> None:
    assert START in visitor.get("/sign-in").text
    for _time in range(2):
        assert visitor.get(begin(visitor, issuer)).headers["Location"] == "/account"
        assert "someone@example.com" in visitor.get("/account").text
        visitor.post("/sign-out", form_on="/account")
    assert database()["shoppers"].count_documents({}) == 1


@pytest.mark.parametrize(
    "spoiled",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another shop"}},
        {"claims": {"aud": None}},
        {"claims": {"iss": "http://127.0.0.1:1"}},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"sub": None}},
        {"claims": {"email_verified": False}},
        {"claims": {"email_verified": "false"}},
        {"claims": {"email_verified": "True"}},
        {"claims": {"email_verified": 1}},
        {"claims": {"sub": {"$ne": None}}},
        {"claims": {"email": None}},
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"other_key": True},
    ],
    ids=str,
)
def test_token_that_must_not_be_believed_signs_nobody_in(visitor: Browser, issuer: str, spoiled: Any) -> None:
    assert visitor.get(begin(visitor, issuer, **spoiled)).status_code == 401
    assert visitor.get("/account").status_code == 302
    assert database()["shoppers"].count_documents({}) == 0


def test_claim_that_the_email_is_verified_may_be_text(visitor: Browser, issuer: str) -> None:
    assert visitor.get(begin(visitor, issuer, claims={"email_verified": "true"})).headers["Location"] == "/account"
    assert "someone@example.com" in visitor.get("/account").text


@pytest.mark.parametrize(("configured", "named", "status"), [("/", "/", 303), ("/", "", 401), ("", "/", 401)])
def test_issuer_is_compared_as_it_is_configured(
    settings: ClientSettings, issuer: str, configured: str, named: str, status: int
) -> None:
    visitor = Browser(shop_with(settings, f"{issuer}{configured}").test_client(), "/sign-in")
    back = begin(visitor, issuer, claims={"iss": f"{issuer}{named}"})
    assert visitor.get(back).status_code == status
    database()["shoppers"].delete_many({})


def test_answer_for_another_browser_signs_nobody_in(app: Flask, visitor: Browser, issuer: str) -> None:
    back = begin(visitor, issuer)
    other = Browser(app.test_client(), "/sign-in")
    assert other.get(back).status_code == 401
    assert other.get("/account").status_code == 302
    assert visitor.get(back).status_code == 303
    assert visitor.get(back).status_code == 401  # nor does it twice


def test_redirect_address_comes_from_the_settings_and_not_from_the_request(visitor: Browser) -> None:
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        to = visitor.client.get(START, headers=headers).headers["Location"]
        assert parse_qs(urlsplit(to).query)["redirect_uri"] == [f"https://shop.example.com{DONE}"]


@pytest.mark.parametrize("missing", ["client_public_url", "client_oidc_client_id", "client_oidc_issuer"])
def test_issuer_needs_its_client_and_the_shops_address(settings: ClientSettings, missing: str) -> None:
    values = {
        **settings.model_dump(),
        "client_oidc_issuer": "https://issuer.example.com",
        "client_oidc_client_id": CLIENT_ID,
        "client_public_url": "https://shop.example.com",
    }
    ClientSettings(**values)
    with pytest.raises(SettingsError, match="CLIENT_OIDC_ISSUER"):
        ClientSettings(**{name: value for name, value in values.items() if name != missing})


def test_head_of_the_callback_does_not_sign_in_and_does_not_use_the_code(visitor: Browser, issuer: str) -> None:
    back = begin(visitor, issuer)
    assert visitor.client.head(back).status_code == 401
    assert visitor.get("/account").status_code == 302
    assert visitor.get(back).status_code == 303


def test_refusal_by_the_issuer_is_answered_with_401(visitor: Browser) -> None:
    assert visitor.get(f"{DONE}?error=access_denied&state=x").status_code == 401


def test_issuer_cannot_sign_in_to_an_account_with_a_password(visitor: Browser, issuer: str) -> None:
    password = "a password of some length"
    visitor.post("/sign-up", form_on="/sign-up", email="someone@example.com", password=password)
    visitor.post("/sign-out", form_on="/account")
    answer = visitor.get(begin(visitor, issuer))
    assert answer.status_code == 401
    assert "Sign in with its password" in answer.text


def test_account_without_a_password_is_entered_by_none_and_erased_by_its_email(visitor: Browser, issuer: str) -> None:
    visitor.get(begin(visitor, issuer))
    assert visitor.post("/account/erase", form_on="/account", password="another@example.com").status_code == 403
    token = {"json": {"email": "someone@example.com", "password": "nobody has this password"}}
    assert visitor.client.post("/api/v1/auth/token", **token).status_code == 401
    assert visitor.post("/account/erase", form_on="/account", password="Someone@example.com").status_code == 303
    assert database()["shoppers"].count_documents({}) == 0


def test_unavailable_issuer_is_reported(settings: ClientSettings) -> None:
    visitor = Browser(shop_with(settings, "http://127.0.0.1:1").test_client(), "/sign-in")
    answer = visitor.get(START)
    assert answer.status_code == 503
    assert "does not answer" in answer.text
