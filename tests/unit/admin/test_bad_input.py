"""Bad input gets the right status and a problem that names the field; it changes nothing and leaks nothing."""

import codecs
import io
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_jwt_extended import create_access_token
from sqlalchemy import select
from werkzeug.test import TestResponse

from admin.accounts.models import EDITOR, VIEWER
from admin.catalogue.models import Product
from admin.db.extensions import db
from admin.outbox.models import ProductChange, Replication
from tests.unit.admin.catalogue import CONTENT, PASSWORD, PRODUCTS, SECRET, Api, admin_on, dispose
from web.http.api import MAX_BODY_BYTES

JSON = "application/json"
INTERNALS = (
    "Traceback",
    "sqlite",
    "sqlalchemy",
    "marshmallow",
    "werkzeug",
    "SELECT ",
    "/work/",
    "site-packages",
    ".py",
)
ONE = f"{PRODUCTS}/1"


@pytest.fixture(scope="module")
def app(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One app for all tests: none of them may write."""
    app = admin_on(shutil.copy(migrated, tmp_path_factory.mktemp("bad_input") / "admin.db"))
    yield app
    dispose(app)


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def editor(client: FlaskClient, tokens: dict[str, str]) -> Api:
    """An editor, with two products that exist before every test."""
    editor = Api(client, tokens[EDITOR])
    assert editor.create()["id"] == 1
    assert editor.create(sku="MUG-2")["id"] == 2
    return editor


def everything(app: Flask) -> list[tuple[Any, ...]]:
    with app.app_context():
        tables = [table.__table__ for table in (Product, Replication, ProductChange)]
        return [tuple(row) for table in tables for row in db.session.execute(select(table).order_by(*table.columns))]


@pytest.fixture(autouse=True)
def _nothing_is_written(app: Flask, editor: Api) -> Iterator[None]:
    assert editor  # its products are there before the first look
    before = everything(app)
    yield
    assert everything(app) == before


def refused(answer: TestResponse, status: int, *fields: str) -> dict[str, Any]:
    """Check that ``answer`` is a problem of ``status`` that names exactly ``fields``; return it."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-ID"] != ""
    assert sorted({error["field"] for error in body["errors"]}) == sorted(fields)
    assert all(error["detail"] for error in body["errors"])
    assert not [word for word in INTERNALS if word in answer.text]
    return body


# --- fields -----------------------------------------------------------------------------------------------

STRINGS = ("sku", "title", "description", "price", "currency", "category", "image_url")
WRONG_TYPES = {"null": None, "number": 7, "float": 1.5, "true": True, "list": ["x"], "object": {"x": "y"}}
CONTROLS = {"NUL": "\0", "bell": "\x07", "escape": "\x1b", "delete": "\x7f", "C1": "\x85", "surrogate": "\ud800"}
PRICES = {
    "negative": "-1.00",
    "plus": "+1.00",
    "three decimals of two": "1.005",
    "five decimals": "1.00005",
    "too large": "10000000000",
    "huge": "9" * 6000,
    "exponent": "1e3",
    "NaN": "NaN",
    "infinity": "Infinity",
    "comma": "1,50",
    "no digits before": ".50",
    "no digits after": "1.",
    "blank": "",
    "space": " 1.00",
    "line break": "1.00\n",
    "currency sign": "€1",
    "words": "ten",
    "underscore": "1_0",
    "arabic digits": "\u0661\u0662.50",
    "NUL": "1\0",
}
NO_LINES = {
    "line break": "Red\nmug",
    "line separator": "Red\u2028mug",
    "tab": "Red\tmug",
    "invisible": "\u200b\u2060\u00ad",
    "filler": "\u3164",
    "turned": "\u202e",
}
TEXTS = {
    "sku": {
        "blank": "",
        "long": "x" * 65,
        "space": "a b",
        "first dash": "-a",
        "accent": "é",
        "slash": "a/b",
        "break": "a\n",
    },
    "title": {"blank": "", "spaces": " \t\n ", "long": "x" * 201, **NO_LINES},
    "description": {"long": "x" * 10_001},
    "currency": {
        "blank": "",
        "small": "eur",
        "short": "EU",
        "long": "EURO",
        "digits": "EU1",
        "break": "EUR\n",
        "unknown": "ABC",
        "none": "XXX",
    },
    "category": {"blank": "", "spaces": "  ", "long": "x" * 81, **NO_LINES},
    "image_url": {
        "long": "https://x.example/" + "y" * 1000,
        "scheme": "ftp://x.example/a.png",
        "script": "javascript:alert(1)",
        "data": "data:image/png;base64,AAAA",
        "no host": "https:///a.png",
        "relative": "a.png",
        "other host": "//evil.example/a.png",
        "backslash": "/\\evil.example",
        "space": "https://x.example/a b.png",
        "quote": 'https://x.example/"onload="',
        "bracket": "https://[::1/a.png",
        "break": "/a.png\n",
    },
}
FIELD_CASES = [
    *((name, f"{name} is {kind}", value) for name in STRINGS for kind, value in WRONG_TYPES.items()),
    *((n, f"{n} has {kind}", f"https://x.example/{c}") for n in ("image_url",) for kind, c in CONTROLS.items()),
    *(
        (name, f"{name} has {kind}", f"ok{char}ok")
        for name in STRINGS
        if name not in {"price", "image_url"}
        for kind, char in CONTROLS.items()
    ),
    *(("price", f"price {kind}", value) for kind, value in PRICES.items()),
    *((name, f"{name} {kind}", value) for name, cases in TEXTS.items() for kind, value in cases.items()),
]
# In a merge patch null is a value: it removes what may be left out.
CHANGE_CASES = [case for case in FIELD_CASES if case[0] not in {"description", "image_url"} or case[2] is not None]


def each(cases: list[tuple[str, str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("field", "value"), [(field, value) for field, _, value in cases], ids=[name for _, name, _ in cases]
    )


as_field, as_changed_field = each(FIELD_CASES), each(CHANGE_CASES)


@as_field
def test_bad_field_is_refused_by_name_at_create(editor: Api, field: str, value: Any) -> None:
    refused(editor.call("POST", PRODUCTS, json={**CONTENT, "sku": "NEW", field: value}), 422, field)


@as_changed_field
def test_bad_field_is_refused_by_name_at_update(editor: Api, field: str, value: Any) -> None:
    refused(editor.patch(1, "*", **{field: value}), 422, field)


@pytest.mark.parametrize("field", ["sku", "title", "price", "currency", "category"])
def test_missing_field_is_named(editor: Api, field: str) -> None:
    content = {name: value for name, value in CONTENT.items() if name != field}
    refused(editor.call("POST", PRODUCTS, json=content), 422, field)


def test_every_bad_field_is_named_at_once(editor: Api) -> None:
    content = {"sku": "", "title": 1, "description": None, "price": "x", "currency": "e", "category": " "}
    refused(editor.call("POST", PRODUCTS, json={**content, "image_url": "x"}), 422, *STRINGS)


@pytest.mark.parametrize(
    "key", ["id", "version", "created_at", "live_sku", "likes", "__class__", "Title", "titel", "", "\0", "\ud800"]
)
def test_unknown_key_is_refused_by_name(editor: Api, key: str) -> None:
    refused(editor.call("POST", PRODUCTS, json={**CONTENT, "sku": "NEW", key: "x"}), 422, key or "body")
    refused(editor.patch(1, "*", **{key: "x"}), 422, key or "body")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "12.50", "9" * 4000])
def test_price_as_a_json_number_is_refused_by_name(editor: Api, number: str) -> None:
    body = json.dumps({**CONTENT, "sku": "NEW"}).replace('"12.50"', number)
    refused(editor.call("POST", PRODUCTS, data=body, content_type=JSON), 422, "price")


def test_sku_of_another_live_product_is_refused_by_name(editor: Api) -> None:
    refused(editor.call("POST", PRODUCTS, json=CONTENT), 409, "sku")
    refused(editor.patch(2, "*", sku="MUG-1"), 409, "sku")


def test_update_without_a_field_is_refused(editor: Api) -> None:
    refused(editor.patch(1, "*"), 422, "body")


# --- bodies -----------------------------------------------------------------------------------------------

NOT_JSON = {
    "text": b"hello",
    "cut short": b'{"sku": "A"',
    "two objects": b"{} {}",
    "trailing comma": b'{"sku": "A",}',
    "single quotes": b"{'sku': 'A'}",
    "not UTF-8": b'{"sku": "\xff\xfe"}',
    "UTF-16": '{"sku": "A"}'.encode("utf-16"),
    "two byte-order marks": codecs.BOM_UTF8 * 2 + b"{}",
    "a byte-order mark behind": b"{}" + codecs.BOM_UTF8,
    "a byte-order mark before what is not UTF-8": codecs.BOM_UTF8 + b'{"sku": "\xff"}',
    "NUL": b"\0",
    "white space": b"  \n",
    "control in string": b'{"sku": "a\x01"}',
    "digits beyond Python's limit": b'{"price": ' + b"1" * 5000 + b"}",
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
}
NOT_OBJECTS = (b"[]", b'[{"sku": "A"}]', b'"text"', b"7", b"true", b"null", b"NaN")
as_write = pytest.mark.parametrize(("method", "path"), [("POST", PRODUCTS), ("PATCH", ONE)])


def send(editor: Api, method: str, path: str, body: bytes, content_type: str = JSON) -> TestResponse:
    return editor.call(method, path, {"If-Match": "*"}, data=body, content_type=content_type)


@as_write
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_body_that_is_not_json_is_refused(editor: Api, method: str, path: str, body: bytes) -> None:
    refused(send(editor, method, path, body), 400, "body")


@as_write
@pytest.mark.parametrize("body", NOT_OBJECTS)
def test_json_that_is_not_an_object_is_refused(editor: Api, method: str, path: str, body: bytes) -> None:
    refused(send(editor, method, path, body), 422, "body")


def test_byte_order_mark_alone_is_an_empty_body(editor: Api) -> None:
    refused(send(editor, "POST", PRODUCTS, codecs.BOM_UTF8), 422, "sku", "title", "price", "currency", "category")
    refused(send(editor, "PATCH", ONE, codecs.BOM_UTF8), 422, "body")


def test_empty_body_is_refused_with_the_missing_fields(editor: Api) -> None:
    for content_type in (JSON, "text/plain", ""):
        answer = editor.call("POST", PRODUCTS, data=b"", content_type=content_type)
        refused(answer, 422, "sku", "title", "price", "currency", "category")
        refused(send(editor, "PATCH", ONE, b"", content_type), 422, "body")


def oversize() -> bytes:
    return json.dumps({**CONTENT, "sku": "NEW", "description": "x" * MAX_BODY_BYTES}).encode()


@as_write
def test_huge_body_is_refused(editor: Api, method: str, path: str) -> None:
    refused(send(editor, method, path, oversize()), 413)


def chunked(editor: Api, method: str, path: str, body: bytes, content_type: str = JSON) -> TestResponse:
    """Send ``body`` as a server passes a chunked one: without a length, with an end."""
    return editor.call(
        method,
        path,
        {"If-Match": "*", "Transfer-Encoding": "chunked", "Content-Type": content_type},
        input_stream=io.BytesIO(body),
        environ_overrides={"wsgi.input_terminated": True},
    )


@as_write
def test_huge_chunked_body_is_refused(editor: Api, method: str, path: str) -> None:
    refused(chunked(editor, method, path, oversize()), 413)


def test_chunked_body_up_to_the_limit_is_read(editor: Api) -> None:
    body = json.dumps(CONTENT).encode()
    for padding in (0, MAX_BODY_BYTES - len(body)):
        refused(chunked(editor, "POST", PRODUCTS, body + b" " * padding), 409, "sku")
    refused(chunked(editor, "POST", PRODUCTS, body + b" " * (MAX_BODY_BYTES - len(body) + 1)), 413)


CONTENT_TYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "nonsense")


@as_write
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_other_content_type_is_refused(editor: Api, method: str, path: str, content_type: str) -> None:
    body = json.dumps({**CONTENT, "sku": "NEW"}).encode()
    refused(send(editor, method, path, body, content_type), 415)
    refused(chunked(editor, method, path, body, content_type), 415)


# --- ids, paths and methods -------------------------------------------------------------------------------

IDS = ("3", "0", "-1", "x", "1.0", "1x", "%00", "%ff", "9223372036854775807", "9" * 19, "9" * 30, "9" * 5000)


@pytest.mark.parametrize("id_", IDS, ids=lambda id_: id_[:20])
def test_unknown_id_is_not_found(editor: Api, id_: str) -> None:
    path = f"{PRODUCTS}/{id_}"
    refused(editor.call("GET", path), 404)
    refused(editor.call("PATCH", path, {"If-Match": "*"}, json={"title": "x"}), 404)
    refused(editor.call("DELETE", path, {"If-Match": "*"}), 404)


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/products/1/", "/api/v1/products/1/x", "/nothing"])
def test_unknown_path_is_not_found(editor: Api, path: str) -> None:
    refused(editor.call("GET", path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", PRODUCTS, {"GET", "HEAD", "OPTIONS", "POST"}),
        ("DELETE", PRODUCTS, {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", ONE, {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
        ("PUT", ONE, {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
        ("NONSENSE", ONE, {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
        ("GET", "/api/v1/auth/token", {"OPTIONS", "POST"}),
        ("GET", "/service/v1/likes", {"OPTIONS", "POST"}),
    ],
)
def test_answer_to_another_method_names_the_allowed_ones(
    editor: Api, method: str, path: str, allowed: set[str]
) -> None:
    answer = editor.call(method, path)
    refused(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("given", ["x" * 65, "a b", "<script>", "é", ""])
def test_request_id_that_is_not_plain_is_replaced(editor: Api, given: str) -> None:
    answer = editor.call("GET", f"{PRODUCTS}/3", {"X-Request-ID": given})
    assert refused(answer, 404)["request_id"] not in {given, ""}


def test_plain_request_id_is_used(editor: Api) -> None:
    assert refused(editor.call("GET", f"{PRODUCTS}/3", {"X-Request-ID": "a-1.b_2"}), 404)["request_id"] == "a-1.b_2"


# --- who may ----------------------------------------------------------------------------------------------

# What a stranger sends is not looked at: the fields are told to those who may use them.
NONSENSE: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", f"{PRODUCTS}?page=2", {}),
    ("POST", PRODUCTS, {"json": {"x": 1}}),
    ("POST", PRODUCTS, {"data": b"{", "content_type": JSON}),
    ("PATCH", ONE, {"json": {}}),
    ("PATCH", f"{PRODUCTS}/3", {"json": {"title": "x"}}),
]


def refused_401(answer: TestResponse) -> None:
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path", "options"), NONSENSE)
def test_caller_who_is_not_signed_in_is_refused(
    client: FlaskClient, method: str, path: str, options: dict[str, Any]
) -> None:
    refused_401(client.open(path, method=method, **options))


@pytest.mark.parametrize(("method", "path", "options"), NONSENSE[1:])
def test_viewer_may_not_write(
    client: FlaskClient, tokens: dict[str, str], method: str, path: str, options: dict[str, Any]
) -> None:
    refused(Api(client, tokens[VIEWER]).call(method, path, **options), 403)


def forged(app: Flask, token: str) -> dict[str, str]:
    """Return the editor's token, altered in each way that matters."""
    claims = jwt.decode(token, SECRET, ["HS256"], audience="admin")
    head, body, signature = token.split(".")
    with app.app_context():
        expired = create_access_token(claims["sub"], expires_delta=timedelta(seconds=-1))
        nobody = create_access_token("999999")
    return {
        "expired": expired,
        "account is gone": nobody,
        "other audience": jwt.encode({**claims, "aud": "client"}, SECRET),
        "no audience": jwt.encode({k: v for k, v in claims.items() if k != "aud"}, SECRET),
        "no subject": jwt.encode({k: v for k, v in claims.items() if k != "sub"}, SECRET),
        "other secret": jwt.encode(claims, "o" * 40),
        "other algorithm": jwt.encode(claims, SECRET + "o" * 30, "HS512"),
        "no algorithm": jwt.encode(claims, None, "none"),
        "not signed": f"{head}.{body}.",
        "altered": f"{head}.{body[:-2]}xx.{signature}",
        "refresh": jwt.encode({**claims, "type": "refresh"}, SECRET),
        "two parts": f"{head}.{body}",
        "one part": "x",
        "dots": "..",
        "empty": "",
        "not base64": "!.!.!",
        "not UTF-8": "/w.//8.AA",
        "list for a header": "W10.W10.AA",
        "two words": f"{token} {token}",
        "long": "x" * 7000,
    }


def test_altered_token_is_refused(app: Flask, client: FlaskClient, tokens: dict[str, str]) -> None:
    assert Api(client, tokens[EDITOR]).show(1).status_code == 200
    for name, token in forged(app, tokens[EDITOR]).items():
        answer = client.get(ONE, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, f"{name}: {answer.text}"
        refused_401(answer)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic ZWRpdG9yOng=", "Token x", "é", "bearer\tx"])
def test_other_authorization_is_refused(client: FlaskClient, header: str) -> None:
    refused_401(client.get(ONE, headers={"Authorization": header}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("email", v) for v in (None, 1, "", "x", "a@", "a b@example.com", "\ud800@example.com", "x" * 255 + "@x.co")),
        *(("email", v) for v in ("a\0@example.com", "a@\ud800.com", "a@example.com\n")),
        *(("password", v) for v in (None, 1, "", "short", "x" * 201, ["x" * 12], "\ud800" * 12)),
        ("remember", True),
    ],
)
def test_malformed_credentials_are_refused_by_name(client: FlaskClient, field: str, value: Any) -> None:
    credentials = {"email": "editor@example.com", "password": PASSWORD, field: value}
    answer = client.post("/api/v1/auth/token", json=credentials)
    refused(answer, 422, field)
    assert PASSWORD not in answer.text
