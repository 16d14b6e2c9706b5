"""The Client's service calls: sent again, byte for byte, they do nothing; older and newer Admins are understood."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from client.replica import apply
from client.store import database
from contract.messages import ProductChanged, ProductContent
from tests.flow.stores import CONTENT, KEYS, TIMES
from tests.service_calls import departures, send, service_routes, signed, timeless, with_more
from web.security.signatures import SignedBy, parse_keys

PRODUCTS, DEAD_LETTERS = "/service/v1/products", "/service/v1/dead-letters"
ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32


@pytest.fixture(scope="module")
def app(shop_app: Flask) -> Flask:
    apply.apply([product(1, 1), product(2, 1)])
    dead_letter = {"state": "open", "reason": "unreadable", "payload": "[]", "products": [{"id": 1, "sequence": 1}]}
    dead_letter |= dict.fromkeys(("died_at", "collected_at", "at"), datetime.now(UTC))
    database()["dead_letters"].insert_many([{"_id": ONE, **dead_letter}, {"_id": TWO, **dead_letter}])
    database()["dead_letters"].insert_one({"_id": THREE, **dead_letter, "state": "discarded"})
    return shop_app


def product(product_id: int, sequence: int) -> ProductChanged:
    return ProductChanged(product_id, sequence, ProductContent(**{**CONTENT, "sku": f"SKU-{product_id}"}, **TIMES))


def stored() -> dict[str, list[Any]]:
    names = sorted(database().list_collection_names())
    return {name: timeless(list(database()[name].find().sort("_id", 1))) for name in names}


@pytest.mark.parametrize("action", ["resync", "discard"])
@pytest.mark.parametrize("body", [{}, {"ids": None}, {"ids": []}, {"ids": [""]}, {"where": {"state": "open"}}])
def test_change_without_ids_changes_no_dead_letter(app: Flask, action: str, body: dict[str, Any]) -> None:
    auth, before = SignedBy(parse_keys(KEYS), audience="client"), stored()
    named = {**body, "by": "owner@example.com"}
    answer = send(app.test_client(), signed("POST", f"{DEAD_LETTERS}/{action}", named, auth))
    assert answer.status_code == 422
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
            assert newer.status_code == 200, (path, newer.text)
        assert stored() == before, path
        assert departures("client", f"POST {path}", body, first.get_json()) == []
        done.add(("POST", path))
        return first.get_json()

    newer = product(1, 2).encode()
    states = call(f"{PRODUCTS}/replica-states", {"ids": [1, 2], "generation": 7, "epoch": 0})["states"]
    call("/service/v1/state")
    call(f"{PRODUCTS}/extent")
    call(f"{PRODUCTS}/digests", {"after": 0, "upto": 10})
    call(f"{PRODUCTS}/entries", {"ids": [1, 2]})
    call(f"{PRODUCTS}/one", {"id": 1})
    seen = next({"sequence": item["sequence"], "checksum": item["checksum"]} for item in states if item["id"] == 1)
    call(f"{PRODUCTS}/repair", {"repairs": [{"id": 1, "seen": seen, "state": newer}]})
    assert database()["products"].find_one({"_id": 1})["sequence"] == 2  # type: ignore[index]
    call(f"{DEAD_LETTERS}/query", {"limit": 10})
    call(f"{DEAD_LETTERS}/show", {"id": ONE})
    call(f"{DEAD_LETTERS}/resync", {"ids": [ONE], "by": "owner@example.com"})
    call(f"{DEAD_LETTERS}/discard", {"ids": [TWO], "by": "owner@example.com"})
    assert done == service_routes(app), "a service call without a replay here"
