from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

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

PATH, OTHER = "/service/v1/things", "/service/v1/others"
KEYS = parse_keys(SecretStr("k1:" + "a" * 40 + ",k2:" + "b" * 40))


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("test")
    init_request_ids(app)
    init_problems(app)
    init_signatures(app, KEYS, audience="client")

    @app.route(OTHER, methods=["GET", "POST"])
    @app.route(PATH, methods=["GET", "POST"])
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
    given, other = prepare(body={"a": 1}), prepare(body={"a": 2})

    def status(method: str = "POST", path: str = PATH, body: Any = given.body, **headers: str) -> int:
        return client.open(path, method=method, data=body, headers={**given.headers, **headers}).status_code

    assert status() == 200
    assert [status(method="GET"), status(path=OTHER), status(path=f"{PATH}?x=1")] == [401] * 3
    digest = {"Content-Digest": str(other.headers["Content-Digest"])}
    assert [status(body=other.body), status(body=b""), status(body=other.body, **digest)] == [401] * 3


def test_call_for_the_other_service_or_with_a_foreign_key_is_refused(client: FlaskClient) -> None:
    assert send(client, prepare(auth=SignedBy(KEYS, audience="admin"))).status_code == 401
    for keys in ({"k1": b"z" * 40}, {"k9": b"z" * 40}, {"k9": KEYS["k1"]}):
        assert send(client, prepare(auth=SignedBy(keys, audience="client"))).status_code == 401


def test_signature_without_its_digest_is_refused(client: FlaskClient) -> None:
    stripped = prepare(body={"a": 1})
    del stripped.headers["Content-Digest"]
    assert send(client, stripped).status_code == 401


@pytest.mark.parametrize("text", ["", "k1", "k1:short", ":" + "a" * 40])
def test_bad_keys_are_refused_without_showing_the_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|secret") as caught:
        parse_keys(SecretStr(text))
    assert "aaaa" not in str(caught.value)


def signed(**options: Any) -> requests.PreparedRequest:
    """A call signed with the right key, in ``options`` other than SignedBy does."""
    prepared = requests.Request("POST", f"http://x{PATH}", json={"a": 1}).prepare()
    now = datetime.now(UTC)
    usual = {"key_id": "k1", "created": now, "expires": now + timedelta(seconds=60), "tag": "client"}
    usual |= {"covered_component_ids": COVERED, "body": prepared.body}
    signer = HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=_Keys(KEYS))
    signer.sign(prepared, **{**usual, **options})
    return prepared


def signed_at(seconds: int, lifetime: int = 60) -> requests.PreparedRequest:
    """A call that was signed ``seconds`` from now by the sender's clock."""
    created = datetime.now(UTC) + timedelta(seconds=seconds)
    return signed(created=created, expires=created + timedelta(seconds=lifetime))


@pytest.mark.parametrize(
    "options",
    [
        {"created": datetime.now(UTC) - timedelta(hours=1), "expires": None},
        {"tag": None},
        *({"covered_component_ids": tuple(part for part in COVERED if part != name)} for name in COVERED[:3]),
        {"covered_component_ids": COVERED[:3], "body": None},
    ],
    ids=["old without an end", "no tag", "no method", "no path", "no query", "no body"],
)
def test_signature_that_is_old_or_covers_too_little_is_refused(client: FlaskClient, options: dict[str, Any]) -> None:
    assert send(client, signed(**options)).status_code == 401


NONSENSE = ("", "x", "é", "sig=:!:", "sig=:AAAA:", "sig=()", 'sig=();keyid="k1"', "\x7f", "=,;", "sig=" + "(" * 5000)


@pytest.mark.parametrize("header", ["Signature", "Signature-Input", "Content-Digest"])
@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: ascii(value[:20]))
def test_nonsense_in_a_signature_header_is_refused(client: FlaskClient, header: str, value: str) -> None:
    prepared = prepare(body={"a": 1})
    prepared.headers[header] = value
    assert send(client, prepared).status_code == 401


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "99999999999999", '"1"', "?1"])
@pytest.mark.parametrize("name", ["created", "expires", "keyid", "tag", "alg"])
def test_nonsense_in_a_signature_parameter_is_refused(client: FlaskClient, name: str, value: str) -> None:
    prepared = prepare(body={"a": 1})
    parts = str(prepared.headers["Signature-Input"]).split(";")
    changed = [f"{name}={value}" if part.startswith(f"{name}=") else part for part in parts]
    assert changed != parts
    prepared.headers["Signature-Input"] = ";".join(changed)
    assert send(client, prepared).status_code == 401


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
