"""Sign-in to the console, the pages of each role, and how sessions end."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from admin.accounts import service, sessions
from admin.accounts.identity import author
from admin.accounts.models import EDITOR, OWNER, VIEWER, Staff
from tests.browsing import HTML, JSON, Browser
from tests.unit.admin.catalogue import PASSWORD, Api, change

SIGN_IN, ACCOUNT = "/console/sign-in", "/console/account"
NEW_PASSWORD = "quite another password"


@pytest.fixture
def visitor(client: FlaskClient) -> Browser:
    return Browser(client, SIGN_IN)


@pytest.fixture
def other(app: Flask) -> Browser:
    """A second browser of the same account."""
    return Browser(app.test_client(), SIGN_IN)


def test_visitor_is_redirected_to_the_sign_in_and_back(visitor: Browser) -> None:
    led = visitor.get(f"{ACCOUNT}?x=1")
    assert led.headers["Location"] == f"{SIGN_IN}?next={ACCOUNT}?x%3D1"
    answer = visitor.sign_in("Editor@example.com", PASSWORD, next=f"{ACCOUNT}?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ACCOUNT}?x=1")
    assert "editor@example.com" in visitor.get(ACCOUNT).text


def test_wrong_password_and_unknown_account_have_the_same_message(visitor: Browser) -> None:
    answers = [
        visitor.sign_in(email, password)
        for email, password in [
            ("editor@example.com", "a wrong password"),
            ("nobody@example.com", PASSWORD),
            ("editor@example.com", "short"),
            ("no address", PASSWORD),
        ]
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert all("Wrong e-mail or password." in answer.text for answer in answers)
    assert not visitor.is_signed_in()


def test_script_signs_in_with_the_same_form(visitor: Browser) -> None:
    answer = visitor.post(SIGN_IN, form_on=SIGN_IN, headers=JSON, email="editor@example.com", password=PASSWORD)
    body = answer.get_json()
    assert body["next"] == "/console/"
    out = visitor.client.post("/console/sign-out", headers={**JSON, "X-CSRFToken": body["csrf_token"]})
    assert out.status_code == 200
    assert not visitor.is_signed_in()


def test_script_with_a_wrong_password_gets_a_problem(visitor: Browser) -> None:
    answer = visitor.post(SIGN_IN, form_on=SIGN_IN, headers=JSON, email="editor@example.com", password="wrong wrong")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")


def test_script_that_is_not_signed_in_gets_a_401_and_no_page(visitor: Browser) -> None:
    answer = visitor.client.get(ACCOUNT, headers=JSON)
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")


def test_copied_cookie_stops_working_at_the_sign_out(visitor: Browser, other: Browser) -> None:
    visitor.sign_in("editor@example.com", PASSWORD)
    copied = visitor.client.get_cookie(sessions.COOKIE)
    assert copied is not None
    other.client.set_cookie(sessions.COOKIE, copied.value)
    assert other.is_signed_in()
    visitor.post("/console/sign-out", form_on=ACCOUNT)
    assert not other.is_signed_in()


def test_pages_of_a_session_are_not_cached(visitor: Browser) -> None:
    visitor.sign_in("editor@example.com", PASSWORD)
    assert visitor.get(ACCOUNT).headers["Cache-Control"] == "no-store"


def test_pages_refuse_a_token(app: Flask, editor: Api) -> None:
    answer = app.test_client().get(ACCOUNT, headers={**HTML, **editor.authorization})
    assert answer.status_code == 302


def test_new_password_ends_every_other_sign_in(app: Flask, visitor: Browser, other: Browser) -> None:
    for one in (visitor, other):
        one.sign_in("editor@example.com", PASSWORD)
    api = _api(app, "editor@example.com")
    answer = visitor.post(f"{ACCOUNT}/password", form_on=ACCOUNT, current=PASSWORD, password=NEW_PASSWORD)
    assert answer.headers["Location"] == ACCOUNT
    assert visitor.is_signed_in()
    assert not other.is_signed_in()
    assert api.listed().status_code == 401
    assert other.sign_in("editor@example.com", PASSWORD).status_code == 401
    assert other.sign_in("editor@example.com", NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("current", "password", "words"),
    [
        ("not the password", NEW_PASSWORD, "is wrong"),
        (PASSWORD, "short", "must have 10 to 200 characters"),
        (PASSWORD, "password1234", "is easy to guess"),
        (PASSWORD, "editor@example.com", "is the e-mail address"),
    ],
)
def test_refused_password_is_reported_at_its_field(visitor: Browser, current: str, password: str, words: str) -> None:
    visitor.sign_in("editor@example.com", PASSWORD)
    answer = visitor.post(f"{ACCOUNT}/password", form_on=ACCOUNT, current=current, password=password)
    assert 400 <= answer.status_code < 500
    assert words in answer.text
    assert PASSWORD not in answer.text
    assert visitor.is_signed_in()


def test_sign_out_everywhere_ends_sessions_and_tokens(app: Flask, visitor: Browser, other: Browser) -> None:
    for one in (visitor, other):
        one.sign_in("editor@example.com", PASSWORD)
    api = _api(app, "editor@example.com")
    visitor.post(f"{ACCOUNT}/sign-out-everywhere", form_on=ACCOUNT)
    assert not visitor.is_signed_in()
    assert not other.is_signed_in()
    assert api.listed().status_code == 401


def test_disabled_account_is_signed_out_at_once_and_cannot_sign_in(app: Flask, visitor: Browser) -> None:
    visitor.sign_in("editor@example.com", PASSWORD)
    api = _api(app, "editor@example.com")
    change(app, update(Staff).where(Staff.email == "editor@example.com").values(disabled_at=Staff.created_at))
    assert not visitor.is_signed_in()
    assert api.listed().status_code == 401
    assert visitor.sign_in("editor@example.com", PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("role", "statuses"), [(VIEWER, [200, 403, 403]), (EDITOR, [200, 200, 403]), (OWNER, [200, 200, 200])]
)
def test_page_requires_its_role_or_a_higher_one(migrated_app: Flask, role: str, statuses: list[int]) -> None:
    app = migrated_app
    for needed in (VIEWER, EDITOR, OWNER):
        app.add_url_rule(f"/for/{needed}", needed, sessions.page_for(needed)(lambda: author()))
    with app.app_context():
        service.add_staff(f"new-{role}@example.com", PASSWORD, role)
    visitor = Browser(app.test_client(), SIGN_IN)
    visitor.sign_in(f"new-{role}@example.com", PASSWORD)
    answers = [visitor.get(f"/for/{needed}") for needed in (VIEWER, EDITOR, OWNER)]
    assert [answer.status_code for answer in answers] == statuses
    assert answers[0].text == f"new-{role}@example.com"
    assert all("Not allowed" in answer.text for answer in answers if answer.status_code == 403)


def _api(app: Flask, email: str) -> Api:
    answer = app.test_client().post("/api/v1/auth/token", json={"email": email, "password": PASSWORD})
    return Api(app.test_client(), answer.get_json()["access_token"])
