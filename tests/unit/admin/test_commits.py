"""Nothing is read between a commit and the answer: an error there would hide that the change was saved."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import event
from werkzeug.test import TestResponse

from admin.accounts import service
from admin.accounts.models import OWNER
from admin.db.extensions import db
from admin.relay import resync_runs
from tests.browsing import Browser
from tests.unit.admin.catalogue import CONTENT, KEYS, PASSWORD, PRODUCTS, Api
from tests.unit.admin.pages import SIGN_IN
from web.security.signatures import SignedBy, parse_keys

KEY = {"name": "robot", "role": "viewer"}
COLLEAGUE = {"email": "new@example.com", "password": PASSWORD, "role": "viewer"}


@dataclass(frozen=True)
class Callers:
    """The callers that change something on Admin, and its objects."""

    editor: Api
    owner: Api
    pages: Browser
    product: int
    deleted: int
    job: str
    staff: int
    key: int

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Send a form of the console."""
        return self.pages.post(f"/console{path}", form_on="/console/account", **fields)


@pytest.fixture
def callers(app: Flask, client: FlaskClient, editor: Api) -> Callers:
    with app.app_context():
        service.add_staff("owner@example.com", PASSWORD, OWNER)
        staff = service.add_staff("leaver@example.com", PASSWORD, "viewer").id
        resync_runs.request("all", "tester")
    answer = client.post("/api/v1/auth/token", json={"email": "owner@example.com", "password": PASSWORD})
    owner = Api(client, answer.get_json()["access_token"])
    pages = Browser(app.test_client(), SIGN_IN)
    pages.sign_in("owner@example.com", PASSWORD)
    product, deleted = editor.create()["id"], editor.create(sku="GONE")["id"]
    editor.delete(deleted)
    job = _upload(editor, "/api/v1/imports", b"sku,title,price,currency,category\nA,A,1,EUR,A\n", "a.csv")
    key = owner.call("POST", "/api/v1/api-keys", json={**KEY, "name": "old"}).get_json()["id"]
    return Callers(editor, owner, pages, product, deleted, job.headers["Location"], staff, key)


def _upload(api: Api, path: str, content: bytes, name: str) -> TestResponse:
    return api.call("POST", path, data={"file": (io.BytesIO(content), name)})


_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001ff89993d1d0000000049454e44ae426082"  # pragma: allowlist secret
)
_FORM = {**CONTENT, "version": "1"}

CHANGES: dict[str, Callable[[Callers], TestResponse]] = {
    "create": lambda c: c.editor.call("POST", PRODUCTS, json={**CONTENT, "sku": "NEW"}),
    "create with a key": lambda c: c.editor.call(
        "POST", PRODUCTS, {"Idempotency-Key": "k"}, json={**CONTENT, "sku": "NEW"}
    ),
    "change": lambda c: c.editor.patch(c.product, '"1"', title="Blue mug"),
    "delete": lambda c: c.editor.delete(c.product),
    "restore": lambda c: c.editor.restore(c.deleted),
    "resync": lambda c: c.editor.call("POST", f"{PRODUCTS}/{c.product}/resync"),
    "image": lambda c: _upload(c.editor, "/api/v1/images", _PIXEL, "a.png"),
    "import": lambda c: _upload(c.editor, "/api/v1/imports", b"sku,title,price,currency,category\n", "b.csv"),
    "same import": lambda c: _upload(
        c.editor, "/api/v1/imports", b"sku,title,price,currency,category\nA,A,1,EUR,A\n", "a.csv"
    ),
    "cancel": lambda c: c.editor.call("POST", f"{c.job}/cancel"),
    "staff": lambda c: c.owner.call("POST", "/api/v1/staff", json=COLLEAGUE),
    "staff changed": lambda c: c.owner.call("PATCH", f"/api/v1/staff/{c.staff}", json={"disabled": True}),
    "staff removed": lambda c: c.owner.call("DELETE", f"/api/v1/staff/{c.staff}"),
    "API key": lambda c: c.owner.call("POST", "/api/v1/api-keys", json=KEY),
    "API key revoked": lambda c: c.owner.call("DELETE", f"/api/v1/api-keys/{c.key}"),
    "token": lambda c: c.owner.call(
        "POST", "/api/v1/auth/token", json={"email": "owner@example.com", "password": PASSWORD}
    ),
    "token revoked": lambda c: c.owner.call("POST", "/api/v1/auth/revoke"),
    "create on a page": lambda c: c.send("/products/new", **{**CONTENT, "sku": "NEW"}),
    "change on a page": lambda c: c.send(f"/products/{c.product}/edit", **{**_FORM, "title": "Blue mug"}),
    "delete on a page": lambda c: c.send(f"/products/{c.product}/delete", version="1"),
    "restore on a page": lambda c: c.send(f"/products/{c.deleted}/restore", version="2"),
    "resync on a page": lambda c: c.send(f"/products/{c.product}/resync"),
    "resync run": lambda c: c.send("/resyncs", what="stuck"),
    "resync run stopped": lambda c: c.send("/resyncs/1/stop"),
    "cancel on a page": lambda c: c.send(f"/imports/{c.job.rpartition('/')[2]}/cancel"),
    "staff on a page": lambda c: c.send("/staff", **COLLEAGUE),
    "staff changed on a page": lambda c: c.send(f"/staff/{c.staff}", action="disable"),
    "API key on a page": lambda c: c.send("/api-keys", **KEY, days=""),
    "API key revoked on a page": lambda c: c.send(f"/api-keys/{c.key}/revoke"),
    "sign-out": lambda c: c.send("/sign-out"),
    "likes": lambda c: _service(c, "/service/v1/likes/recount", {"products": [c.product]}),
}


def _service(callers: Callers, path: str, body: dict[str, Any]) -> TestResponse:
    signed = requests.Request(
        "POST", f"http://admin{path}", json=body, auth=SignedBy(parse_keys(SecretStr(KEYS)), audience="admin")
    ).prepare()
    return callers.pages.client.open(path, method="POST", headers=dict(signed.headers), data=signed.body)


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Yield what is sent to the database from now on: ``commit``, and the beginnings of statements."""
    told: list[str] = []

    def note_statement(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        told.append(text.strip()[:60])

    def note_commit(_connection: Any) -> None:
        told.append("commit")

    event.listen(db.engine, "before_cursor_execute", note_statement)
    event.listen(db.engine, "commit", note_commit)
    try:
        yield told
    finally:
        event.remove(db.engine, "before_cursor_execute", note_statement)
        event.remove(db.engine, "commit", note_commit)


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_read_between_the_commit_and_the_answer(app: Flask, callers: Callers, change: str) -> None:
    with app.app_context(), _watched() as told:
        answer = CHANGES[change](callers)
    assert answer.status_code < 400, answer.text
    assert "commit" in told, "it changed nothing"
    after = told[len(told) - told[::-1].index("commit") :]
    assert after == []
