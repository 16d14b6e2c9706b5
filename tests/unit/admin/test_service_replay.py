"""Admin's service calls: sent again, byte for byte, they change nothing; older and newer Clients are understood."""

from typing import Any

from flask import Flask
from pydantic import SecretStr

from admin.db.extensions import db
from contract.messages import LikeChanged
from tests.service_calls import departures, send, service_routes, signed, timeless, with_more
from tests.unit.admin.catalogue import KEYS, Api
from web.security.signatures import SignedBy, parse_keys

SHOPPER = "u" * 32


def stored(app: Flask) -> dict[str, list[Any]]:
    with app.app_context():
        tables = db.metadata.sorted_tables
        found = {t.name: timeless([list(r) for r in db.session.execute(db.select(t))]) for t in tables}
        db.session.rollback()
        return found


def test_like_of_a_later_version_gets_no_verdict_so_that_it_waits_at_the_client(app: Flask, editor: Api) -> None:
    likes = [LikeChanged(editor.create()["id"], SHOPPER, 1, liked=True).encode()]
    auth = SignedBy(parse_keys(SecretStr(KEYS)), audience="admin")
    later = [*likes, {**likes[0], "type": "like.changed.v2"}]
    before = stored(app)
    answer = send(app.test_client(), signed("POST", "/service/v1/likes", {"likes": later}, auth))
    assert (answer.status_code, stored(app)) == (501, before)
    assert "newer" in answer.get_json()["detail"]


def test_replayed_call_changes_nothing_and_older_and_newer_clients_are_understood(app: Flask, editor: Api) -> None:
    product = editor.create()
    client, auth = app.test_client(), SignedBy(parse_keys(SecretStr(KEYS)), audience="admin")
    done = set()

    def call(method: str, rule: str, path: str, body: Any = None, status: int = 200) -> None:
        request = signed(method, path, body, auth)
        first = send(client, request)
        assert first.status_code == status, path
        before = stored(app)
        assert send(client, request).status_code == status, path
        if body:
            assert send(client, signed(method, path, with_more(body), auth)).status_code == status, path
        assert stored(app) == before, path
        assert departures("admin", f"{method} {rule}", body, first.get_json()) == []
        done.add((method, rule))

    likes = "/service/v1/likes"
    call("POST", likes, likes, {"likes": [LikeChanged(product["id"], SHOPPER, 1, liked=True).encode()]})
    for part in ("digest", "range", "counts"):
        call("GET", f"{likes}/{part}", f"{likes}/{part}")
    call("POST", f"{likes}/lookup", f"{likes}/lookup", {"keys": [{"product": product["id"], "user": SHOPPER}]})
    call("POST", f"{likes}/recount", f"{likes}/recount", {"products": [product["id"]]})
    call("POST", "/service/v1/products/states", "/service/v1/products/states", {"ids": [product["id"]]})
    call("GET", "/service/v1/images/<digest>", f"/service/v1/images/{'0' * 64}", status=404)
    assert done == service_routes(app), "a service call without a replay here"
