import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import requests
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from http_message_signatures import HTTPMessageSigner, algorithms
from pydantic import SecretStr
from werkzeug.test import TestResponse

from web.http.problems import init_problems
from web.http.request_ids import init_request_ids
from web.security.signatures import COVERED, SignedBy, _Keys, init_signatures, parse_keys, service_only

KEYS = parse_keys(SecretStr("k1:" + "a" * 40 + ",k2:" + "b" * 40))


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("test")
    init_request_ids(app)
    init_problems(app)
    init_signatures(app, KEYS, audience="client")

    @app.route("/service/v1/things", methods=["GET", "POST"])
    @service_only
    def things() -> object:
        return jsonify(got=request.get_json(silent=True))

    return app.test_client()


def prepare(
    method: str = "POST", url: str = "http://x/service/v1/things", body: object = None, auth: SignedBy | None = None
) -> requests.PreparedRequest:
    auth = auth or SignedBy(KEYS, audience="client")
    return requests.Request(method, url, json=body, auth=auth).prepare()


def send(client: FlaskClient, prepared: requests.PreparedRequest) -> TestResponse:
    path = prepared.path_url
    return client.open(path, method=prepared.method, headers=dict(prepared.headers), data=prepared.body)


def test_signed_call_is_accepted(client: FlaskClient) -> None:
    assert send(client, prepare(body={"a": 1})).json == {"got": {"a": 1}}
    assert send(client, prepare("GET", "http://x/service/v1/things?q=a%20b")).status_code == 200


def test_call_signed_with_the_second_key_is_accepted_while_keys_rotate(client: FlaskClient) -> None:
    second = SignedBy({"k2": KEYS["k2"]}, audience="client")
    assert send(client, prepare(auth=second)).status_code == 200


def test_unsigned_call_is_refused_as_a_problem(client: FlaskClient) -> None:
    answer = client.post("/service/v1/things", json={})
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")


def test_altered_calls_are_refused(client: FlaskClient) -> None:
    body = prepare(body={"a": 1})
    body.body = json.dumps({"a": 2}).encode()
    body.headers["Content-Length"] = str(len(body.body))
    method = prepare("POST")
    method.method = "GET"
    query = prepare("GET", "http://x/service/v1/things?q=1")
    query.url = "http://x/service/v1/things?q=2"
    for altered in (body, method, query):
        assert send(client, altered).status_code == 401


def test_call_for_the_other_service_or_with_a_foreign_key_is_refused(client: FlaskClient) -> None:
    assert send(client, prepare(auth=SignedBy(KEYS, audience="admin"))).status_code == 401
    foreign = SignedBy({"k1": b"z" * 40}, audience="client")
    assert send(client, prepare(auth=foreign)).status_code == 401
    unknown = SignedBy({"k9": b"z" * 40}, audience="client")
    assert send(client, prepare(auth=unknown)).status_code == 401


def test_signature_without_its_digest_is_refused(client: FlaskClient) -> None:
    stripped = prepare(body={"a": 1})
    del stripped.headers["Content-Digest"]
    assert send(client, stripped).status_code == 401


@pytest.mark.parametrize("text", ["", "k1", "k1:short", ":" + "a" * 40])
def test_bad_keys_are_refused_without_showing_the_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|secret") as caught:
        parse_keys(SecretStr(text))
    assert "aaaa" not in str(caught.value)


def signed_at(seconds: int, lifetime: int = 60) -> requests.PreparedRequest:
    """A call that was signed ``seconds`` from now by the sender's clock."""
    prepared = requests.Request("POST", "http://x/service/v1/things", json={"a": 1}).prepare()
    created = datetime.now(UTC) + timedelta(seconds=seconds)
    HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=_Keys(KEYS)).sign(
        prepared,
        key_id="k1",
        created=created,
        expires=created + timedelta(seconds=lifetime),
        tag="client",
        covered_component_ids=COVERED,
        body=prepared.body,
    )
    return prepared


@pytest.mark.parametrize("seconds", [0, 3, 55, -55])
def test_clocks_may_be_a_minute_apart(client: FlaskClient, seconds: int) -> None:
    assert send(client, signed_at(seconds)).status_code == 200


@pytest.mark.parametrize(("seconds", "lifetime"), [(90, 60), (-150, 60), (-150, 3600), (-90, 5)])
def test_call_dated_too_early_or_too_late_is_refused_whatever_lifetime_it_claims(
    client: FlaskClient, seconds: int, lifetime: int
) -> None:
    assert send(client, signed_at(seconds, lifetime)).status_code == 401


def test_keys_are_changed_without_a_moment_in_which_a_call_is_refused() -> None:
    old, new = "old:" + "o" * 40, "new:" + "n" * 40
    # Each side in its turn, at any time: accept the new one too, then sign with it, then forget the old one.
    steps = [old, f"{old},{new}", f"{new},{old}", new]
    for earlier, later in pairwise(steps):
        for sender, receiver in ((earlier, later), (later, earlier)):
            assert _got_through(sender, receiver), (sender, receiver)


def _got_through(sender: str, receiver: str) -> bool:
    app = Flask("receiver")
    init_request_ids(app)
    init_problems(app)
    init_signatures(app, parse_keys(SecretStr(receiver)), audience="client")
    app.add_url_rule("/service/v1/things", "things", service_only(lambda: "got it"), methods=["POST"])
    auth = SignedBy(parse_keys(SecretStr(sender)), audience="client")
    return send(app.test_client(), prepare(auth=auth)).status_code == 200
