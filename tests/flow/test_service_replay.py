"""The Client's service calls: sent again, byte for byte, they do nothing; older and newer Admins are understood."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from client import create_app
from client.replica import apply
from client.store import database
from contract.messages import ProductChanged, ProductContent
from tests.flow.likes_both_sides import TIMES
from tests.flow.stores import CONTENT, KEYS, client_store_on, unique_name
from tests.service_calls import departures, send, service_routes, signed, timeless, with_more
from tools.stack.servers.secantus import Secantus
from web.security.signatures import SignedBy, parse_keys

PRODUCTS, LETTERS = "/service/v1/products", "/service/v1/dead-letters"
ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32
# Leaving out what narrows these down would settle more letters than was asked for.
NARROWED = {f"{LETTERS}/replay-all", f"{LETTERS}/discard-all"}


@pytest.fixture(scope="module")
def app(secantus: Secantus) -> Iterator[Flask]:
    with client_store_on(secantus.url(unique_name())) as settings:
        apply.apply([product(1, 1), product(2, 1)])
        now = datetime.now(UTC)
        moments = dict.fromkeys(("died_at", "collected_at", "at"), now)
        letter = {
            "state": "new",
            "reason": "unreadable",
            "payload": "[]",
            "products": [{"id": 1, "sequence": 1}],
            **moments,
        }
        database()["dead_letters"].insert_many([{"_id": ONE, **letter}, {"_id": TWO, **letter}])
        database()["dead_letters"].insert_one({"_id": THREE, **letter, "state": "discarded"})
        yield create_app(settings)


def product(product_id: int, sequence: int) -> ProductChanged:
    return ProductChanged(product_id, sequence, ProductContent(**{**CONTENT, "sku": f"SKU-{product_id}"}, **TIMES))


def stored() -> dict[str, list[Any]]:
    names = sorted(database().list_collection_names())
    return {name: timeless(list(database()[name].find().sort("_id", 1))) for name in names}


@pytest.mark.parametrize("action", ["replay", "discard"])
@pytest.mark.parametrize(
    "body", [{}, {"id": None}, {"where": {"state": "new"}}, {"where": {}}, {"where": {"state": None}}, {"id": ""}]
)
def test_what_does_not_say_which_letters_settles_none(app: Flask, action: str, body: dict[str, Any]) -> None:
    auth, before = SignedBy(parse_keys(KEYS), audience="client"), stored()
    named = {**body, "by": "owner@example.com"}
    for path in (action, f"{action}-all"):
        if path == f"{action}-all" and body == {"where": {"state": "new"}}:
            continue  # says which
        answer = send(app.test_client(), signed("POST", f"{LETTERS}/{path}", named, auth))
        assert (answer.status_code, answer.get_json().get("outcomes", [])) in ((422, []), (200, []))
    assert stored() == before


def test_replayed_call_changes_nothing_and_older_and_newer_admins_are_understood(app: Flask) -> None:
    client, auth = app.test_client(), SignedBy(parse_keys(KEYS), audience="client")
    done = set()

    def call(path: str, body: dict[str, Any] | None = None) -> Any:
        """Call twice with the same bytes and signature; return the first answer."""
        request = signed("POST", path, body, auth)
        first = send(client, request)
        assert first.status_code == 200, (path, first.text)
        before = stored()
        again = send(client, request)
        assert again.status_code == 200, (path, again.text)
        if body:
            newer = send(client, signed("POST", path, with_more(body), auth))
            assert newer.status_code == (422 if path in NARROWED else 200), (path, newer.text)
        assert stored() == before, path
        assert departures("client", f"POST {path}", body, first.get_json()) == []
        done.add(("POST", path))
        return first.get_json()

    newer = product(1, 2).encode()
    held = call(f"{PRODUCTS}/replica-states", {"ids": [1, 2], "generation": 7, "epoch": 0})["states"]
    call("/service/v1/state")
    call(f"{PRODUCTS}/extent")
    call(f"{PRODUCTS}/digests", {"after": 0, "upto": 10})
    call(f"{PRODUCTS}/entries", {"ids": [1, 2]})
    call(f"{PRODUCTS}/one", {"id": 1})
    seen = next({"sequence": item["sequence"], "checksum": item["checksum"]} for item in held if item["id"] == 1)
    call(f"{PRODUCTS}/repair", {"repairs": [{"id": 1, "seen": seen, "state": newer}]})
    assert database()["products"].find_one({"_id": 1})["sequence"] == 2  # type: ignore[index]
    call(f"{LETTERS}/query", {"limit": 10})
    call(f"{LETTERS}/show", {"id": ONE})
    call(f"{LETTERS}/replay", {"id": ONE, "by": "owner@example.com"})
    call(f"{LETTERS}/discard", {"id": TWO, "by": "owner@example.com"})
    where = {"state": "new", "reason": "unreadable", "product": None}
    call(f"{LETTERS}/replay-all", {"where": where, "by": "owner@example.com"})
    call(f"{LETTERS}/discard-all", {"where": where, "by": "owner@example.com"})
    assert done == service_routes(app), "a service call without a replay here"
