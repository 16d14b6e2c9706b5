"""The Client's REST API on a MongoDB-wire server: what shoppers read, and every wrong way to ask."""

from dataclasses import replace
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from client.likes import count
from client.replica import apply
from contract.messages import ProductChanged, ProductContent, format_time, parse_time
from tests.flow.stores import CONTENT, KEYS
from tests.isolation import MARK, loose
from web.security.signatures import SignedBy, parse_keys

CREDENTIALS = {"email": "Ann@Example.com", "password": "a password of some length"}
HELD = "/service/v1/products/replica-states"


@pytest.fixture(scope="module")
def shop(shop_app: Flask) -> FlaskClient:
    apply.apply([*(product(number) for number in range(1, 13)), ProductChanged(13, 2, None)])
    return shop_app.test_client()


@pytest.fixture(scope="module")
def ann(shop: FlaskClient) -> dict[str, str]:
    token = shop.post("/api/v1/shoppers", json=CREDENTIALS).get_json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def product(number: int) -> ProductChanged:
    content = {
        **CONTENT,
        "sku": f"SKU-{number}",
        "title": f"Möbel {number}" if number % 2 else f"Red Mug {number}",
        "category": "Garden" if number % 3 == 0 else "Kitchen",
        # two of each time: the id has to break the tie
        "created_at": format_time(parse_time(f"2026-11-{10 + number // 2:02}T08:00:00Z")),
        "updated_at": "2026-11-30T08:00:00.000Z",
    }
    return ProductChanged(number, 1, ProductContent(**content))


def walk(shop: FlaskClient, query: str) -> list[int]:
    """Every id of a list, by following its Link headers."""
    ids: list[int] = []
    path: str | None = f"/api/v1/products?{query}"
    while path:
        answer = shop.get(path)
        assert answer.status_code == 200, answer.text
        ids += [item["id"] for item in answer.get_json()["items"]]
        links = requests.utils.parse_header_links(answer.headers.get("Link", ""))
        path = next((link["url"] for link in links if link.get("rel") == "next"), None)
    return ids


def refused(answer: TestResponse, status: int, field: str | None = None) -> dict[str, Any]:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.get_json()
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-ID"]
    if field:
        assert [error["field"] for error in body["errors"]] == [field]
    return body


def test_list_shows_the_newest_first_and_every_live_product_once(shop: FlaskClient) -> None:
    assert walk(shop, "limit=5") == list(range(12, 0, -1))


def test_list_by_category_and_by_words(shop: FlaskClient) -> None:
    assert walk(shop, "category=Garden&limit=2") == [12, 9, 6, 3]
    assert walk(shop, "q=mob&limit=100") == [11, 9, 7, 5, 3, 1]
    assert walk(shop, "q=MUG+re") == [12, 10, 8, 6, 4, 2]
    assert walk(shop, "q=SKU-7") == [7]
    assert walk(shop, "q=nothing+like+it") == []
    assert walk(shop, "q=.*") == walk(shop, "q=!!!") == walk(shop, "q=%F0%9F%AB%96") == []
    assert walk(shop, "q=+&limit=100") == walk(shop, "limit=100")  # a blank asks for nothing in particular


def test_search_of_signs_alone_says_what_it_needs(shop: FlaskClient) -> None:
    assert "at least one letter or digit" in shop.get("/?q=!!!").text
    assert "at least one letter or digit" not in shop.get("/?q=nothing").text


def test_direction_marks_in_products_do_not_affect_the_text_around_them(shop: FlaskClient) -> None:
    text = {"title": f"abc{MARK}def", "category": f"Kit{MARK}chen", "description": f"Holds {MARK}tea."}
    turning = product(20)
    assert turning.product
    apply.apply([replace(turning, product=replace(turning.product, **text))])
    try:
        for path in ("/", "/products/20", f"/?q=abc{MARK}def&category=Kit{MARK}chen", "/shop/grid"):
            page = shop.get(path).text
            assert MARK in page
            assert loose(page) == []
    finally:
        apply.apply([ProductChanged(20, 2, None)])


def test_most_liked_comes_first(shop: FlaskClient, ann: dict[str, str]) -> None:
    for number in (4, 9):
        shop.put(f"/api/v1/products/{number}/likes/me", headers=ann)
    count.count(timeout=5)  # the web process may be counting
    assert walk(shop, "sort=-likes&limit=3")[:3] == [9, 4, 12]
    shop.delete("/api/v1/products/4/likes/me", headers=ann)
    count.count(timeout=5)  # the web process may be counting
    assert shop.get("/api/v1/products/4").get_json()["likes"] == 0


def test_product_shows_what_admin_told(shop: FlaskClient) -> None:
    shown = shop.get("/api/v1/products/1").get_json()
    assert (shown["sku"], shown["price"], shown["version"]) == ("SKU-1", "12.50", 1)
    assert shown["updated_at"] == "2026-11-30T08:00:00.000Z"


@pytest.mark.parametrize(
    ("number", "price", "currency", "shown"), [(40, "1250", "JPY", "1,250"), (41, "1.250", "KWD", "1.250")]
)
def test_price_is_shown_with_the_decimals_of_its_currency(
    shop: FlaskClient, number: int, price: str, currency: str, shown: str
) -> None:
    priced = ProductContent(**{**product(number).encode()["product"], "price": price, "currency": currency})
    apply.apply([ProductChanged(number, 1, priced)])
    assert shop.get(f"/api/v1/products/{number}").get_json()["price"] == price
    page = shop.get(f"/products/{number}", headers={"Accept": "text/html"}).text
    assert f'<data class="price" value="{price}"><span class="price-currency">{currency}</span> {shown}</data>' in page
    apply.apply([ProductChanged(number, 2, None)])


def test_unknown_is_404_and_deleted_is_410(shop: FlaskClient, ann: dict[str, str]) -> None:
    for path in ("/api/v1/products/{}", "/api/v1/products/{}/likes/me"):
        refused(shop.get(path.format(99), headers=ann), 404)
        refused(shop.get(path.format(13), headers=ann), 410)
    refused(shop.put("/api/v1/products/13/likes/me", headers=ann), 410)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("sort=price", "sort"),
        ("catgory=Garden", "catgory"),
        ("category=", "category"),
        ("q=" + "x" * 101, "q"),
    ],
)
def test_wrong_query_names_the_parameter(shop: FlaskClient, query: str, field: str) -> None:
    refused(shop.get(f"/api/v1/products?{query}"), 422, field)


def test_cursor_of_another_sort_or_making_is_refused(shop: FlaskClient) -> None:
    cursor = shop.get("/api/v1/products?limit=2").get_json()["next_cursor"]
    refused(shop.get(f"/api/v1/products?cursor={cursor}&sort=-likes"), 400, "cursor")
    refused(shop.get(f"/api/v1/products?cursor={cursor[:-3]}abc"), 400, "cursor")


def test_like_needs_a_sign_in(shop: FlaskClient) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic x"}):
        refused(shop.put("/api/v1/products/1/likes/me", headers=headers), 401)


def test_accounts_refuse_what_is_wrong(shop: FlaskClient, ann: dict[str, str]) -> None:
    assert ann
    refused(shop.post("/api/v1/shoppers", json={**CREDENTIALS, "email": "ann@example.com"}), 409, "email")
    refused(shop.post("/api/v1/shoppers", json={"email": "no", "password": "long enough, this"}), 422, "email")
    refused(shop.post("/api/v1/shoppers", json={"email": "b@example.com", "password": "short"}), 422, "password")
    refused(shop.post("/api/v1/shoppers", json={**CREDENTIALS, "role": "owner"}), 422, "role")


def test_operators_in_place_of_values_are_refused(shop: FlaskClient) -> None:
    refused(shop.post("/api/v1/auth/token", json={"email": {"$ne": ""}, "password": {"$ne": ""}}), 422)


def test_replica_states_are_for_admin_only(shop: FlaskClient) -> None:
    refused(shop.post(HELD, json={"ids": [1]}), 401)
    prepared = requests.Request(
        "POST", f"http://x{HELD}", json={"ids": [1, 13, 99]}, auth=SignedBy(parse_keys(KEYS), audience="client")
    ).prepare()
    answer = shop.post(HELD, data=prepared.body, headers=dict(prepared.headers))
    assert {item["id"]: item["sequence"] for item in answer.get_json()["states"]} == {1: 1, 13: 2}
