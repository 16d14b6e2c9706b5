"""Attacks on credentials: signatures, tokens, sessions, forms. Each is tried on the running services."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
import requests
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from pydantic import SecretStr

from tests.flow.running import PASSWORD
from tests.security.callers import BROWSER, TIMEOUT, Caller
from tests.security.conftest import System
from web.security.signatures import SignedBy, parse_keys

LIKES = "/service/v1/likes"


# --- signatures ---------------------------------------------------------------------------------------------


def signed(system: System, method: str = "POST", path: str = LIKES, **changed: Any) -> requests.PreparedRequest:
    """Return a call that the Client's worker could have made."""
    keys = changed.get("keys") or parse_keys(SecretStr(system.running.product.env["SERVICE_KEYS"]))
    body = None if method == "GET" else {"likes": [{"broken": True}]}
    auth = SignedBy(keys, changed.get("audience", "admin"))
    return requests.Request(method, f"{system.admin_url}{path}", json=body, auth=auth).prepare()


def send(prepared: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(prepared, timeout=TIMEOUT)


def without(name: str) -> Any:
    def change(prepared: requests.PreparedRequest) -> None:
        del prepared.headers[name]

    return change


def with_input(old: str, new: str) -> Any:
    def change(prepared: requests.PreparedRequest) -> None:
        told = str(prepared.headers["Signature-Input"])
        assert old in told
        prepared.headers["Signature-Input"] = told.replace(old, new)

    return change


def other_body(prepared: requests.PreparedRequest) -> None:
    prepared.body = b'{"likes": []}'
    prepared.headers["Content-Length"] = str(len(prepared.body))


def other_body_with_its_digest(prepared: requests.PreparedRequest) -> None:
    other_body(prepared)
    digest = base64.b64encode(hashlib.sha256(prepared.body).digest()).decode()  # type: ignore[arg-type]
    prepared.headers["Content-Digest"] = f"sha-256=:{digest}:"


def other_path(prepared: requests.PreparedRequest) -> None:
    prepared.url = str(prepared.url).replace("/likes", "/likes/recount")


def other_query(prepared: requests.PreparedRequest) -> None:
    prepared.url = f"{prepared.url}?more=1"


FORGERIES = {
    "no signature": without("Signature"),
    "no input": without("Signature-Input"),
    "no digest": without("Content-Digest"),
    "another body": other_body,
    "another body and digest": other_body_with_its_digest,
    "another path": other_path,
    "another query": other_query,
    "a longer validity": with_input("expires=", "expires=9"),
    "no algorithm": with_input('alg="hmac-sha256"', 'alg="none"'),
    "another algorithm": with_input('alg="hmac-sha256"', 'alg="rsa-v1_5-sha256"'),
    "an unknown key": with_input('keyid="stack"', 'keyid="nobody"'),
    "the body not covered": with_input(' "content-digest"', ""),
    "nothing covered": with_input('("@method" "@path" "@query" "content-digest")', "()"),
    "another addressee": with_input('tag="admin"', 'tag="client"'),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_altered_call_is_refused(system: System, forgery: str) -> None:
    assert send(signed(system)).status_code == 200
    prepared = signed(system)
    FORGERIES[forgery](prepared)
    assert send(prepared).status_code == 401


def test_call_signed_with_another_secret_or_for_the_other_service_is_refused(system: System) -> None:
    assert send(signed(system, keys={"stack": b"x" * 40})).status_code == 401
    assert send(signed(system, audience="client")).status_code == 401


def test_replayed_call_changes_nothing(system: System) -> None:
    product_id = system.running.create()
    like = {"v": 1, "product": product_id, "user": "replayed", "liked": True, "revision": 1}
    auth = SignedBy(parse_keys(SecretStr(system.running.product.env["SERVICE_KEYS"])), "admin")
    prepared = requests.Request("POST", f"{system.admin_url}{LIKES}", json={"likes": [like]}, auth=auth).prepare()
    answers = [send(prepared).json() for _ in range(3)]
    assert len(answers) == 3
    assert system.staff["viewer"].get(product_id)["likes"] <= 1


# --- tokens -------------------------------------------------------------------------------------------------


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, payload, signature = token.split(".")
    pad = "==="
    return (
        json.loads(base64.urlsafe_b64decode(head + pad)),
        json.loads(base64.urlsafe_b64decode(payload + pad)),
        signature,
    )


def resigned(head: dict[str, Any], payload: dict[str, Any], secret: bytes) -> str:
    text = f"{part(head)}.{part(payload)}"
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def forged_tokens(system: System) -> dict[str, str]:
    head, payload, signature = opened(system.tokens["viewer"])
    owner = {
        **payload,
        "sub": opened(system.tokens["owner"])[1]["sub"],
        "sid": opened(system.tokens["owner"])[1]["sid"],
    }
    return {
        "none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(owner)}.",
        "None": f"{part({'alg': 'None', 'typ': 'JWT'})}.{part(owner)}.",
        "no signature": f"{part(head)}.{part(owner)}.",
        "the viewer's signature": f"{part(head)}.{part(owner)}.{signature}",
        "an empty secret": resigned(head, owner, b""),
        "a guessed secret": resigned(head, owner, b"change-me"),
        "RS256": resigned({**head, "alg": "RS256"}, owner, b"change-me"),
        "HS512 named": resigned({**head, "alg": "HS512"}, owner, b"change-me"),
        "a key of its own": resigned({**head, "jwk": {"kty": "oct", "k": "AAAA"}}, owner, b"\0\0\0"),
        "a key id with a path": resigned({**head, "kid": "../../dev/null"}, owner, b""),
        "the shopper's": system.tokens["shopper"],
        "no token": "",
        "not one": "a.b.c",
    }


FORGED = (
    *("none", "None", "no signature", "the viewer's signature", "an empty secret", "a guessed secret", "RS256"),
    *("HS512 named", "a key of its own", "a key id with a path", "the shopper's", "no token", "not one"),
)


@pytest.mark.parametrize("forgery", FORGED)
def test_forged_token_is_refused(system: System, forgery: str) -> None:
    headers = {"Authorization": f"Bearer {forged_tokens(system)[forgery]}"}
    for path in ("/api/v1/products", "/api/v1/staff"):
        assert requests.get(f"{system.admin_url}{path}", headers=headers, timeout=TIMEOUT).status_code == 401


@pytest.mark.parametrize(
    ("service", "name", "path"), [("admin", "viewer", "/api/v1/products"), ("client", "shopper", "/api/v1/likes/me")]
)
def test_token_of_a_host_ten_seconds_ahead_is_accepted(system: System, service: str, name: str, path: str) -> None:
    head, payload, _ = opened(system.tokens[name])
    secret = system.running.product.env[f"{service.upper()}_SECRET_KEY"].encode()
    base = system.admin_url if service == "admin" else system.client_url
    for ahead, status in ((0, 200), (9, 200), (60, 401)):
        made = int(time.time()) + ahead
        token = resigned(head, {**payload, "iat": made, "nbf": made, "exp": made + 900}, secret)
        answer = requests.get(f"{base}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)
        assert answer.status_code == status, (ahead, answer.text)


def test_refresh_token_is_no_access_token_and_valid_once(system: System) -> None:
    credentials = {"email": "viewer@example.com", "password": PASSWORD}
    pair = requests.post(f"{system.admin_url}/api/v1/auth/token", json=credentials, timeout=TIMEOUT).json()
    refresh = {"Authorization": f"Bearer {pair['refresh_token']}"}
    assert requests.get(f"{system.admin_url}/api/v1/products", headers=refresh, timeout=TIMEOUT).status_code == 401


# Signed with the real key, as who stole it could: what must not reach a query, or never ends.
OPERATORS: dict[str, dict[str, Any]] = {
    "any sign-in": {"sid": {"$ne": None}},
    "any sign-in by a pattern": {"sid": {"$regex": ".*"}},
    "a list of sign-ins": {"sid": [None]},
    "a number": {"sid": 0},
    "no sign-in": {"sid": None},
    "any account": {"sub": {"$ne": None}, "sid": {"$ne": None}},
    "any refresh": {"jti": {"$ne": None}},
    "no refresh": {"jti": None},
    "no end": {"exp": None},
    "an end that is text": {"exp": "9999999999"},
}


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("claims", OPERATORS)
def test_signed_token_with_operators_or_without_expiry_is_refused(system: System, claims: str, kind: str) -> None:
    for base, role, key, path in (
        (system.admin_url, "owner", "ADMIN_SECRET_KEY", "/api/v1/products"),
        (system.client_url, "shopper", "CLIENT_SECRET_KEY", "/api/v1/likes/me"),
    ):
        head, payload, _ = opened(system.tokens[role])
        right = resigned(head, payload, system.running.product.env[key].encode())
        known = requests.get(f"{base}{path}", headers={"Authorization": f"Bearer {right}"}, timeout=TIMEOUT)
        assert known.status_code == 200  # so that nothing else is wrong with the other tokens
        changed = {**payload, "type": kind, **OPERATORS[claims]}
        changed = {name: value for name, value in changed.items() if value is not None or name in {"sid", "jti"}}
        token = resigned(head, changed, system.running.product.env[key].encode())
        headers = {"Authorization": f"Bearer {token}"}
        answers = [requests.post(f"{base}/api/v1/auth/refresh", headers=headers, timeout=TIMEOUT)]
        if kind == "access":
            answers.append(requests.get(f"{base}{path}", headers=headers, timeout=TIMEOUT))
        assert [answer.status_code for answer in answers] == [401] * len(answers)
    assert system.staff["owner"].ask("GET", "/api/v1/products").status_code == 200  # their sign-ins stay valid


@pytest.mark.parametrize("named", [{"$ne": None}, [1], 5], ids=str)
def test_signed_cookie_without_a_text_signs_no_account_in(system: System, named: Any) -> None:
    for base, cookie, key, path in (
        (system.admin_url, "console_session", "ADMIN_SECRET_KEY", "/console/account"),
        (system.client_url, "shop_session", "CLIENT_SECRET_KEY", "/account"),
    ):
        app = Flask("forger")
        app.secret_key = system.running.product.env[key]
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        cookies = {cookie: str(signer.dumps({"_user_id": named, "_fresh": True}))}
        answer = requests.get(f"{base}{path}", cookies=cookies, headers=BROWSER, allow_redirects=False, timeout=TIMEOUT)
        assert answer.status_code == 302
        assert "sign-in" in answer.headers["Location"]


# --- sessions and forms ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shopper(system: System) -> Caller:
    found = Caller(system, "shopper", "client", "shopper@example.com")
    found.sign_in()
    return found


@pytest.fixture(scope="module")
def editor(system: System) -> Caller:
    found = Caller(system, "editor", "admin", "editor@example.com")
    found.sign_in()
    return found


def test_form_of_another_site_is_refused(system: System, shopper: Caller, editor: Caller) -> None:
    product_id = system.running.create()
    forms = [
        (shopper, f"{system.client_url}/products/{product_id}/like"),
        (shopper, f"{system.client_url}/account/erase"),
        (shopper, f"{system.client_url}/sign-out"),
        (editor, f"{system.admin_url}/console/products/{product_id}/delete"),
        (editor, f"{system.admin_url}/console/sign-out"),
    ]
    for caller, url in forms:
        for token in (None, "", "forged", Caller(system, "nobody").csrf(caller.home)):
            form = {"password": PASSWORD, "liked": "1"} | ({} if token is None else {"csrf_token": token})
            sent = caller.pages.post(url, data=form, headers=BROWSER, allow_redirects=False, timeout=TIMEOUT)
            assert sent.status_code == 400, (url, token)
    assert shopper.pages.get(f"{system.client_url}/account", timeout=TIMEOUT, allow_redirects=False).status_code == 200
    assert system.staff["viewer"].get(product_id)["id"] == product_id


def test_cookie_does_not_open_the_api(system: System, shopper: Caller, editor: Caller) -> None:
    assert shopper.pages.get(f"{system.client_url}/api/v1/likes/me", timeout=TIMEOUT).status_code == 401
    assert editor.pages.get(f"{system.admin_url}/api/v1/products", timeout=TIMEOUT).status_code == 401


@pytest.mark.parametrize(("home", "email"), [("client", "shopper@example.com"), ("admin", "editor@example.com")])
def test_signing_in_starts_a_new_session(system: System, home: str, email: str) -> None:
    victim = Caller(system, "victim")
    page, account = {"client": ("/sign-in", "/account"), "admin": ("/console/sign-in", "/console/account")}[home]
    token = victim.csrf(home, page)
    planted = dict(victim.pages.cookies)
    form = {"email": email, "password": PASSWORD, "csrf_token": token}
    victim.pages.post(f"{victim.url(home)}{page}", data=form, headers=BROWSER, allow_redirects=False, timeout=TIMEOUT)
    assert dict(victim.pages.cookies) != planted
    url = f"{victim.url(home)}{account}"
    assert victim.pages.get(url, allow_redirects=False, timeout=TIMEOUT).status_code == 200
    attacker = requests.get(url, cookies=planted, allow_redirects=False, timeout=TIMEOUT)
    assert attacker.status_code != 200  # the planted session is void


def test_session_cookie_is_hidden_from_scripts_and_other_sites(system: System) -> None:
    for home, page in (("client", "/sign-in"), ("admin", "/console/sign-in")):
        caller = Caller(system, "nobody")
        shown = caller.pages.get(f"{caller.url(home)}{page}", headers=BROWSER, timeout=TIMEOUT)
        cookie = shown.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie


ELSEWHERE = ("https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
    "https:evil.example", "/%09/evil.example", "\t//evil.example", "http:///evil.example")  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_redirect_leads_to_another_site(system: System, target: str) -> None:
    for home, page, email in (
        ("client", "/sign-in", "shopper@example.com"),
        ("admin", "/console/sign-in", "editor@example.com"),
    ):
        caller = Caller(system, "victim")
        base = caller.url(home)
        form = {"email": email, "password": PASSWORD, "csrf_token": caller.csrf(home, page), "next": target}
        url = f"{base}{page}"
        answers = [
            caller.pages.post(
                url, params={"next": target}, data=form, headers=BROWSER, allow_redirects=False, timeout=TIMEOUT
            ),
            requests.post(
                f"{base}/theme", data={"theme": "dark", "next": target}, allow_redirects=False, timeout=TIMEOUT
            ),
        ]
        for answer in answers:
            assert answer.status_code in {302, 303}
            location = answer.headers["Location"]
            assert location.startswith("/"), location
            assert not location.startswith(("//", "/\\"))


def test_unknown_account_and_wrong_password_get_the_same_answer_and_time(system: System) -> None:
    for base, known in ((system.client_url, "shopper@example.com"), (system.admin_url, "viewer@example.com")):
        told, took = [], []
        for email in (known, "nobody@example.com") * 4:
            began = time.monotonic()
            answer = requests.post(
                f"{base}/api/v1/auth/token", json={"email": email, "password": "not the password"}, timeout=TIMEOUT
            )
            took.append(time.monotonic() - began)
            told.append((answer.status_code, answer.json()["detail"]))
        assert set(told) == {(401, "Wrong e-mail or password.")}
        assert min(took[1::2]) > min(took[::2]) / 3  # most of the time is hashing, for both
