"""The shop's door: signing up, in and out on its pages, and every way in which a sign-in ends."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from client.accounts import sessions, sign_ins
from client.store import database
from tests.browsing import HTML, Browser

ANN, PASSWORD, NEW_PASSWORD = "ann@example.com", "a password of some length", "quite another password"
SIGN_IN, SIGN_UP, ACCOUNT = "/sign-in", "/sign-up", "/account"


@pytest.fixture
def ann(shop_app: Flask) -> Iterator[Browser]:
    """A shopper who has just signed up."""
    visitor = Browser(shop_app.test_client(), SIGN_IN)
    answer = visitor.post(SIGN_UP, form_on=SIGN_UP, email=ANN, password=PASSWORD, next="/account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?x=1")
    yield visitor
    for name in ("shoppers", "erasures"):
        database()[name].delete_many({})


@pytest.fixture
def visitor(shop_app: Flask) -> Browser:
    """Somebody at another machine."""
    return Browser(shop_app.test_client(), SIGN_IN)


def api_token(client: FlaskClient) -> dict[str, str]:
    answer = client.post("/api/v1/auth/token", json={"email": ANN, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


def test_shopper_signs_up_out_and_in_again(ann: Browser) -> None:
    assert ANN in ann.get(ACCOUNT).text
    ann.post("/sign-out", form_on=ACCOUNT)
    assert not ann.is_signed_in()
    assert ann.sign_in("Ann@Example.com", PASSWORD).status_code == 303
    assert ann.is_signed_in()


@pytest.mark.parametrize(
    ("email", "password", "status", "words"),
    [
        (ANN, PASSWORD, 422, "already exists"),
        ("no address", PASSWORD, 422, "This is not an e-mail address."),
        ("bob@example.com", "short", 422, "Use 10 to 200 characters."),
        ("bob@example.com", "qwertyuiop", 422, "is easy to guess"),
    ],
)
@pytest.mark.usefixtures("ann")
def test_sign_up_says_beside_the_field_what_is_wrong(
    visitor: Browser, email: str, password: str, status: int, words: str
) -> None:
    answer = visitor.post(SIGN_UP, form_on=SIGN_UP, email=email, password=password)
    assert answer.status_code == status
    assert words in answer.text
    assert email in answer.text
    assert password not in answer.text.replace(email, "")


@pytest.mark.usefixtures("ann")
def test_wrong_password_and_unknown_account_have_the_same_message(visitor: Browser) -> None:
    answers = [visitor.sign_in(email, "a wrong password") for email in (ANN, "nobody@example.com")]
    assert {answer.status_code for answer in answers} == {422}
    assert all("Wrong e-mail or password." in answer.text for answer in answers)


@pytest.mark.usefixtures("ann")
def test_pages_take_no_token(shop_app: Flask) -> None:
    client = shop_app.test_client()
    token = api_token(client)
    assert client.get("/api/v1/likes/me", headers=token).status_code == 200
    assert client.get(ACCOUNT, headers={**HTML, **token}).status_code == 302


def test_copied_cookie_is_worth_nothing_after_the_sign_out(ann: Browser, visitor: Browser) -> None:
    copied = ann.client.get_cookie(sessions.COOKIE)
    assert copied is not None
    visitor.client.set_cookie(sessions.COOKIE, copied.value)
    assert visitor.is_signed_in()
    ann.post("/sign-out", form_on=ACCOUNT)
    assert not visitor.is_signed_in()


def test_new_password_ends_every_other_sign_in(shop_app: Flask, ann: Browser, visitor: Browser) -> None:
    visitor.sign_in(ANN, PASSWORD)
    client = shop_app.test_client()
    token = api_token(client)
    ann.post(f"{ACCOUNT}/password", form_on=ACCOUNT, current=PASSWORD, new=NEW_PASSWORD)
    assert ann.is_signed_in()
    assert not visitor.is_signed_in()
    assert client.get("/api/v1/likes/me", headers=token).status_code == 401
    assert visitor.sign_in(ANN, PASSWORD).status_code == 422
    assert visitor.sign_in(ANN, NEW_PASSWORD).status_code == 303


def test_password_is_changed_only_by_who_knows_it(ann: Browser) -> None:
    answer = ann.post(f"{ACCOUNT}/password", form_on=ACCOUNT, current="not the password", new=NEW_PASSWORD)
    assert answer.status_code == 403
    assert "is wrong" in answer.text
    ann.post("/sign-out", form_on=ACCOUNT)
    assert ann.sign_in(ANN, PASSWORD).status_code == 303


def test_account_is_erased_with_the_password_only(ann: Browser) -> None:
    refused = ann.post(f"{ACCOUNT}/erase", form_on=ACCOUNT, password="not the password")
    assert refused.status_code == 403
    assert ann.is_signed_in()
    assert ann.post(f"{ACCOUNT}/erase", form_on=ACCOUNT, password=PASSWORD).headers["Location"] == "/"
    assert not ann.is_signed_in()
    assert ann.sign_in(ANN, PASSWORD).status_code == 422


@pytest.mark.usefixtures("ann")
def test_only_the_latest_sign_ins_are_kept(shop_app: Flask) -> None:
    client = shop_app.test_client()
    client.get(SIGN_IN)
    shopper = database()["shoppers"].find_one({"email": ANN})
    assert shopper is not None
    many = [{"id": f"old-{n}", "expires_at": shopper["created_at"]} for n in range(sign_ins.MAX_SIGN_INS)]
    database()["shoppers"].update_one({"_id": shopper["_id"]}, {"$set": {"sign_ins": many}})
    token = api_token(client)
    assert client.get("/api/v1/likes/me", headers=token).status_code == 200
    kept = database()["shoppers"].find_one({"_id": shopper["_id"]})
    assert kept is not None
    assert len(kept["sign_ins"]) == sign_ins.MAX_SIGN_INS
    assert kept["sign_ins"][0]["id"] == "old-1"


@pytest.mark.usefixtures("ann")
def test_refresh_token_works_once_and_a_second_use_ends_its_sign_in(shop_app: Flask) -> None:
    client = shop_app.test_client()
    first = client.post("/api/v1/auth/token", json={"email": ANN, "password": PASSWORD}).get_json()

    def refresh(pair: dict[str, str]) -> TestResponse:
        return client.post("/api/v1/auth/refresh", headers={"Authorization": f"Bearer {pair['refresh_token']}"})

    def status(pair: dict[str, str]) -> int:
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        return client.get("/api/v1/likes/me", headers=headers).status_code

    second = refresh(first).get_json()
    assert status(second) == 200
    assert refresh(first).status_code == 401
    assert status(second) == 401
    assert refresh(second).status_code == 401


@pytest.mark.usefixtures("ann")
def test_revoked_token_signs_its_owner_out(shop_app: Flask) -> None:
    client = shop_app.test_client()
    token = api_token(client)
    other = api_token(client)
    assert client.post("/api/v1/auth/revoke", headers=token).status_code == 204
    assert client.get("/api/v1/likes/me", headers=token).status_code == 401
    assert client.get("/api/v1/likes/me", headers=other).status_code == 200
