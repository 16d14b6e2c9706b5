"""The like button's form: what a page without JavaScript sends, and what the script and the API send in its place."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from client.replica import apply
from client.store import database
from contract.messages import ProductChanged, ProductContent
from tests.browsing import HTML, JSON, Browser
from tests.flow.stores import CONTENT, TIMES, empty, unique_name

PASSWORD = "a password of some length"
FORM, API = "/products/1/like", "/api/v1/products/1/likes/me"
JUST_NOW, BEFORE, AHEAD = timedelta(), timedelta(seconds=1), -timedelta(seconds=30)


@pytest.fixture(scope="module")
def app(shop_app: Flask) -> Flask:
    apply.apply([ProductChanged(1, 1, ProductContent(**CONTENT, **TIMES))])
    return shop_app


@pytest.fixture
def shopper(app: Flask) -> Browser:
    visitor = Browser(app.test_client(), "/sign-in")
    email = f"{unique_name()}@example.com"
    assert visitor.post("/sign-up", form_on="/sign-up", email=email, password=PASSWORD).status_code == 303
    empty("likes")
    return visitor


def press(shopper: Browser, liked: str, ago: timedelta | None = None, headers: dict[str, str] = HTML) -> TestResponse:
    """Press the button, ``ago`` after the like last changed."""
    token = shopper.csrf_token("/account")
    if ago is not None:
        database()["likes"].update_one({"product": 1}, {"$set": {"at": datetime.now(UTC) - ago}})
    return shopper.client.post(FORM, headers=headers, data={"liked": liked, "csrf_token": token})


def is_liked() -> bool:
    return database()["likes"].count_documents({"product": 1, "liked": True}) == 1


@pytest.mark.parametrize(
    ("headers", "ago", "both_count"),
    [(HTML, JUST_NOW, False), (HTML, BEFORE, True), (HTML, AHEAD, True), (JSON, JUST_NOW, True)],
)
def test_second_click_on_the_form_counts_after_half_a_second(
    shopper: Browser, headers: dict[str, str], ago: timedelta, both_count: bool
) -> None:
    """The script tells double clicks by itself; a time that is yet to come is another host's."""
    press(shopper, "1")
    assert is_liked()
    press(shopper, "0", ago, headers)
    assert is_liked() != both_count
    press(shopper, "0", BEFORE)
    assert not is_liked()
    press(shopper, "1", ago, headers)
    assert is_liked() == both_count


def test_api_counts_every_call(app: Flask) -> None:
    client, who = app.test_client(), {"email": f"{unique_name()}@example.com", "password": PASSWORD}
    client.post("/api/v1/shoppers", json=who)
    token = client.post("/api/v1/auth/token", json=who).get_json()["access_token"]
    for method, liked in (("PUT", True), ("DELETE", False), ("PUT", True)):
        answer = client.open(API, method=method, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.get_json()["liked"]) == (200, liked)


@pytest.mark.parametrize("liked", ["", "2", "true"])
def test_form_that_does_not_say_whether_to_like_changes_nothing(shopper: Browser, liked: str) -> None:
    press(shopper, "1")
    assert press(shopper, liked, BEFORE).status_code == 400
    assert is_liked()
