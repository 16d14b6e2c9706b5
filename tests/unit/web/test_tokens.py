"""Bearer tokens: a signature is verified once and remembered, and nothing that is remembered outlives its token."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_jwt_extended import create_access_token

from tools.stack.api import eventually
from web.http.problems import init_problems
from web.security import tokens


@pytest.fixture
def app() -> Flask:
    app = Flask("tokens_under_test")
    app.config["SECRET_KEY"] = "k" * 32
    app.config["ENDED"] = set()
    init_problems(app)
    tokens.init_tokens(app, "tests", lambda claims: None if claims["sid"] in app.config["ENDED"] else claims["sub"])
    app.add_url_rule("/me", "me", lambda: tokens.caller())
    return app


def ask(client: FlaskClient, token: str) -> tuple[int, str]:
    answer = client.get("/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.text


def test_signature_is_verified_once(app: Flask) -> None:
    with app.app_context():
        token = tokens.issue("ann", "one").shown["access_token"]
    client = app.test_client()
    assert [ask(client, token) for _ in range(3)] == [(200, "ann")] * 3
    remembered = app.extensions["decode_token"].cache_info()
    assert (remembered.misses, remembered.hits) == (1, 2)


def test_remembered_token_is_refused_when_it_expires(app: Flask) -> None:
    app.config["JWT_DECODE_LEEWAY"] = 0
    with app.app_context():
        lifetime = timedelta(seconds=2)
        token = create_access_token("ann", expires_delta=lifetime, additional_claims={"sid": "one"})
    client = app.test_client()
    assert ask(client, token) == (200, "ann")
    eventually(lambda: ask(client, token)[0] == 401, within=10)
    assert "expired" in ask(client, token)[1]


def test_remembered_token_of_an_ended_sign_in_is_refused_at_once(app: Flask) -> None:
    with app.app_context():
        token = tokens.issue("ann", "one").shown["access_token"]
    client = app.test_client()
    assert ask(client, token) == (200, "ann")
    app.config["ENDED"].add("one")
    status, text = ask(client, token)
    assert status == 401
    assert "sign-in has ended" in text


def test_remembered_refresh_token_opens_nothing(app: Flask) -> None:
    with app.app_context():
        token = tokens.issue("ann", "one").shown["refresh_token"]
        tokens.decoded(token)  # as the rate limits do
    assert ask(app.test_client(), token)[0] == 401


def test_forged_token_is_refused_every_time(app: Flask) -> None:
    with app.app_context():
        token = tokens.issue("ann", "one").shown["access_token"]
    client, forged = app.test_client(), token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    assert [ask(client, forged)[0] for _ in range(2)] == [401, 401]
