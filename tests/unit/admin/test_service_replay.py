"""A service call that is sent again, byte for byte, within its validity: Admin's tables stay as they are."""

from typing import Any

from flask import Flask
from pydantic import SecretStr

from admin.extensions import db
from tests.service_calls import send, service_routes, signed, timeless
from tests.unit.admin.catalogue import KEYS, Api
from web.signatures import SignedBy, parse_keys

LIKE = {"product": 1, "user": "u" * 32, "liked": True, "rev": 1, "at": "2026-11-25T00:00:00.000Z"}


def stored(app: Flask) -> dict[str, list[Any]]:
    with app.app_context():
        tables = db.metadata.sorted_tables
        found = {t.name: timeless([list(r) for r in db.session.execute(db.select(t))]) for t in tables}
        db.session.rollback()
        return found


def test_no_service_call_does_anything_when_it_is_replayed(app: Flask, editor: Api) -> None:
    product = editor.create()
    client, auth = app.test_client(), SignedBy(parse_keys(SecretStr(KEYS)), audience="admin")
    done = set()

    def call(method: str, rule: str, path: str, body: Any = None, status: int = 200) -> None:
        request = signed(method, path, body, auth)
        assert send(client, request).status_code == status, path
        before = stored(app)
        assert send(client, request).status_code == status, path
        assert stored(app) == before, path
        done.add((method, rule))

    likes = "/service/v1/likes"
    call("POST", likes, likes, {"likes": [{**LIKE, "product": product["id"]}]})
    for part in ("digest", "range", "counts"):
        call("GET", f"{likes}/{part}", f"{likes}/{part}")
    call("POST", f"{likes}/lookup", f"{likes}/lookup", {"keys": [{"product": product["id"], "user": LIKE["user"]}]})
    call("POST", f"{likes}/recount", f"{likes}/recount", {"products": [product["id"]]})
    call("POST", "/service/v1/products/states", "/service/v1/products/states", {"ids": [product["id"]]})
    call("GET", "/service/v1/images/<digest>", f"/service/v1/images/{'0' * 64}", status=404)
    assert done == service_routes(app), "a service call without a replay here"
