"""The shopper's side of likes and accounts over REST, and every wrong way to ask."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from client.likes.documents import Like
from client.replica import apply
from client.store import database
from contract.messages import ProductChanged, ProductContent
from tests.flow.stores import CONTENT, TIMES, empty

PASSWORD = "a password of some length"
Headers = dict[str, str]


@pytest.fixture(scope="module")
def shop(shop_app: Flask) -> FlaskClient:
    apply.apply([ProductChanged(number, 1, ProductContent(**CONTENT, **TIMES)) for number in range(1, 8)])
    return shop_app.test_client()


@pytest.fixture
def ann(shop: FlaskClient) -> Iterator[Headers]:
    yield sign_up(shop, "ann@example.com")
    empty("shoppers", "likes", "erasures")


def sign_up(shop: FlaskClient, email: str) -> Headers:
    answer = shop.post("/api/v1/shoppers", json={"email": email, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


def like(shop: FlaskClient, headers: Headers, product: int) -> TestResponse:
    return shop.put(f"/api/v1/products/{product}/likes/me", headers=headers)


def pages(shop: FlaskClient, headers: Headers, limit: int) -> list[list[dict[str, Any]]]:
    found, path = [], f"/api/v1/likes/me?limit={limit}"
    while path:
        answer = shop.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        found.append(answer.get_json()["items"])
        links = requests.utils.parse_header_links(answer.headers.get("Link", ""))
        path = next((link["url"] for link in links if link.get("rel") == "next"), "")
    return found


def refused(answer: TestResponse, status: int, field: str | None = None) -> None:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    if field:
        assert [error["field"] for error in answer.get_json()["errors"]] == [field]


def test_my_likes_are_listed_newest_first_and_each_once(shop: FlaskClient, ann: Headers) -> None:
    assert pages(shop, ann, 2) == [[]]
    for product in (3, 1, 4, 2, 5):
        like(shop, ann, product)
    like(shop, sign_up(shop, "bob@example.com"), 6)
    shop.delete("/api/v1/products/4/likes/me", headers=ann)
    Like._get_collection().update_many({"product": {"$in": [1, 2]}}, {"$set": {"at": like_time(1)}})  # one moment
    listed = pages(shop, ann, 2)
    assert [[item["id"] for item in page] for page in listed] == [[5, 3], [2, 1]]
    assert listed[0][0]["product"]["title"] == CONTENT["title"]


def like_time(product: int) -> Any:
    oldest = Like._get_collection().find_one({"product": 3})
    assert oldest is not None
    return oldest["at"].replace(year=oldest["at"].year - product)


def test_deleted_product_stays_in_my_likes_and_is_marked(shop: FlaskClient, ann: Headers) -> None:
    like(shop, ann, 7)
    apply.apply([ProductChanged(7, 2, None)])
    assert [(item["id"], item["product"]) for item in pages(shop, ann, 5)[0]] == [(7, None)]
    refused(shop.delete("/api/v1/products/7/likes/me", headers=ann), 410)


def test_lists_and_likes_refuse_invalid_requests(shop: FlaskClient, ann: Headers) -> None:
    refused(shop.get("/api/v1/likes/me"), 401)
    refused(shop.get("/api/v1/likes/me?limit=0", headers=ann), 422, "limit")
    refused(shop.get("/api/v1/likes/me?user=bob", headers=ann), 422, "user")
    cursor = shop.get("/api/v1/products?limit=2").get_json()["next_cursor"]
    refused(shop.get(f"/api/v1/likes/me?cursor={cursor}", headers=ann), 400, "cursor")
    refused(shop.put("/api/v1/products/1/likes/bob", headers=ann), 404)
    refused(shop.post("/api/v1/products/1/likes/me", headers=ann), 405)
    for product, status in ((99, 404), (10**17, 404), (10**30, 404)):
        refused(like(shop, ann, product), status)
    refused(like(shop, {"Authorization": "Bearer x.y.z"}, 1), 401)
    assert database()["likes"].count_documents({}) == 0


def test_account_is_erased_with_the_password_only(shop: FlaskClient, ann: Headers) -> None:
    like(shop, ann, 1)
    refused(shop.delete("/api/v1/account", json={"password": PASSWORD}), 401)
    refused(shop.delete("/api/v1/account", headers=ann), 422, "password")
    refused(shop.delete("/api/v1/account", json={"password": "another one of length"}, headers=ann), 403, "password")
    refused(shop.delete("/api/v1/account", json={"password": "\ud800" * 12}, headers=ann), 422, "password")
    assert shop.get("/api/v1/products/1/likes/me", headers=ann).get_json()["liked"] is True
    assert shop.delete("/api/v1/account", json={"password": PASSWORD}, headers=ann).status_code == 204
    refused(like(shop, ann, 2), 401)
    refused(shop.get("/api/v1/likes/me", headers=ann), 401)
    refused(shop.post("/api/v1/auth/token", json={"email": "ann@example.com", "password": PASSWORD}), 401)
    (left,) = database()["likes"].find()
    assert (left["liked"], left["revision"], left["pending"]) == (False, 2, True)
    assert "email" not in str(list(database()["erasures"].find()))
    assert sign_up(shop, "ann@example.com")
