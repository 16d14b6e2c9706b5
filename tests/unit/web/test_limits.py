"""Rate limits: counting, the refusal, and that a failing store causes no outage."""

import threading
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_jwt_extended import create_access_token
from pydantic import SecretStr
from werkzeug.test import TestResponse

from runtime.settings import WebSettings
from tools.stack.api import eventually
from tools.stack.ports import free_port
from tools.stack.servers.valkey import Valkey
from web.http.problems import init_problems
from web.http.request_ids import init_request_ids
from web.security import limit_counters
from web.security.headers import init_headers
from web.security.limits import LimitSettings, init_limits, limit_sign_in
from web.security.tokens import init_tokens

SIGN_IN, PAGE = "/api/v1/auth/token", "/sign-in"


def _sign_in() -> str:  # the limiter distinguishes views by name
    return "{}"


def _page() -> str:
    return "in"


def app_with(**values: object) -> FlaskClient:
    app = Flask("limits_under_test")
    app.config["SECRET_KEY"] = "k" * 32
    settings = LimitSettings(**values)
    init_headers(app, WebSettings(trusted_proxies=1))
    init_request_ids(app)
    init_problems(app)
    init_tokens(app, "limits", lambda claims: claims["sub"])
    app.add_url_rule("/api/v1/things", "things", lambda: "[]")
    app.add_url_rule("/livez", "livez", lambda: "ok")
    app.add_url_rule(SIGN_IN, "sign_in", _sign_in, methods=["GET", "POST"])
    app.add_url_rule(PAGE, "page", _page, methods=["GET", "POST"])
    app.add_url_rule("/live", "live", lambda: "{}")
    limit_sign_in(app, init_limits(app, settings, polls=("live",)), settings, ["sign_in", "page"])
    return app.test_client()


def ask(client: FlaskClient, address: str = "192.0.2.1", token: str = "") -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get("/api/v1/things", headers=headers, environ_base={"REMOTE_ADDR": address})


def sign_in(client: FlaskClient, email: str, address: str) -> int:
    answer = client.post(SIGN_IN, json={"email": email}, environ_base={"REMOTE_ADDR": address})
    return answer.status_code


def statuses(client: FlaskClient, times: int, address: str = "192.0.2.1", token: str = "") -> list[int]:
    return [ask(client, address, token).status_code for _ in range(times)]


def test_address_is_refused_beyond_its_limit_with_retry_after() -> None:
    client = app_with(rate_limit="3/minute")
    assert statuses(client, 3) == [200] * 3
    refused = ask(client)
    assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert ask(client, "192.0.2.2").status_code == 200  # another address is another caller
    assert client.get("/livez", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200


def test_polls_of_open_pages_do_not_count_against_clicks() -> None:
    client = app_with(rate_limit="3/minute")
    polls = [client.get("/live", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code for _ in range(5)]
    assert polls == [200] * 3 + [429] * 2
    assert statuses(client, 4) == [200] * 3 + [429]


def test_account_is_counted_across_addresses() -> None:
    client = app_with(rate_limit="3/minute")
    with client.application.app_context():
        first, second = (create_access_token(name) for name in ("a", "a"))
        other = create_access_token("b")
    found = [ask(client, f"192.0.2.{n}", (first, second)[n % 2]).status_code for n in range(4)]
    assert found == [200, 200, 200, 429]  # both tokens belong to one account
    assert ask(client, "192.0.2.9", other).status_code == 200


def test_forged_token_has_a_limit_of_its_own() -> None:
    client = app_with(rate_limit="3/minute")
    with client.application.app_context():
        real = create_access_token("a")
    forged = real[:-4] + ("AAAA" if not real.endswith("AAAA") else "BBBB")
    for n in range(5):
        ask(client, f"192.0.2.{n}", forged)
    assert ask(client, "192.0.2.9", real).status_code == 200


def test_sign_in_attempts_are_limited_per_address() -> None:
    client = app_with(rate_limit_sign_in="3/minute")
    assert [sign_in(client, f"{n}@x.example", "192.0.2.1") for n in range(4)] == [200, 200, 200, 429]
    assert sign_in(client, "other@x.example", "198.51.100.9") == 200
    assert client.get(SIGN_IN, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200  # GET is no attempt


def test_wrong_passwords_from_one_address_do_not_lock_the_owner_out() -> None:
    client = app_with(rate_limit_sign_in="10/minute;60/hour")
    attacks = [sign_in(client, "owner@x.example", "192.0.2.1") for _ in range(100)]
    assert attacks == [200] * 10 + [429] * 90
    assert sign_in(client, "owner@x.example", "198.51.100.9") == 200


def test_one_account_allows_ten_times_the_attempts_over_all_addresses() -> None:
    client = app_with(rate_limit_sign_in="3/minute")
    found = [sign_in(client, "Same@x.example ", f"198.51.100.{n}") for n in range(31)]
    assert found == [200] * 30 + [429]


def test_attempts_at_a_page_and_at_the_api_count_together() -> None:
    client = app_with(rate_limit_sign_in="3/minute")
    paths = [SIGN_IN, PAGE, SIGN_IN, PAGE]
    assert [client.post(path, json={"email": "a@x.example"}).status_code for path in paths] == [200, 200, 200, 429]


def test_signed_in_account_is_limited_over_all_addresses_with_any_email() -> None:
    client = app_with(rate_limit_sign_in="3/minute")
    with client.application.app_context():
        headers = {"Authorization": f"Bearer {create_access_token('a')}"}
    found = [
        client.post(
            PAGE, json={"email": f"{n}@x.example"}, headers={**headers, "X-Forwarded-For": f"198.51.100.{n}"}
        ).status_code
        for n in range(4)
    ]
    assert found == [200, 200, 200, 429]


@pytest.mark.parametrize(
    "written",
    [
        ("192.0.2.1:50001", "192.0.2.1:50002", "192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "2001:db8::2", "[2001:db8::3]:443", "2001:db8:0:0:ffff::"),
    ],
)
def test_address_counts_as_one_caller_in_every_written_form(written: tuple[str, ...]) -> None:
    client = app_with(rate_limit_sign_in="3/minute")
    found = [
        client.post(SIGN_IN, json={"email": f"{n}@x.example"}, headers={"X-Forwarded-For": address}).status_code
        for n, address in enumerate(written)
    ]
    assert found == [200, 200, 200, 429]
    elsewhere = client.post(SIGN_IN, json={"email": "a@x.example"}, headers={"X-Forwarded-For": "2001:db8:0:1::1"})
    assert elsewhere.status_code == 200


def test_limits_may_be_off() -> None:
    client = app_with(rate_limit="off", rate_limit_sign_in="off")
    assert set(statuses(client, 1300)) == {200}
    assert {sign_in(client, "a@x.example", "192.0.2.1") for _ in range(20)} == {200}


@pytest.fixture
def store(valkey: Valkey) -> SecretStr:
    return SecretStr(valkey.url())


def test_processes_count_together_through_valkey(store: SecretStr) -> None:
    one, other = (app_with(rate_limit="4/minute", rate_limit_storage_url=store) for _ in range(2))
    assert statuses(one, 2, "192.0.2.77") + statuses(other, 3, "192.0.2.77") == [200] * 4 + [429]


def test_unreadable_body_does_not_count_as_a_failing_store(store: SecretStr) -> None:
    limits = {"rate_limit": "4/minute", "rate_limit_sign_in": "3/minute", "rate_limit_storage_url": store}
    one, other = (app_with(**limits) for _ in range(2))
    one.post(SIGN_IN, data="[" * 50_000, content_type="application/json", headers={"X-Forwarded-For": "192.0.2.1"})
    assert statuses(one, 2, "192.0.2.78") + statuses(other, 3, "192.0.2.78") == [200] * 4 + [429]


def test_failing_store_refuses_no_request_and_each_process_counts() -> None:
    gone = SecretStr(f"redis://127.0.0.1:{free_port()}/0")
    client = app_with(rate_limit="3/minute", rate_limit_storage_url=gone)
    assert statuses(client, 4) == [200, 200, 200, 429]


def threads_made() -> int:
    """Return the number of threads ever started in this process, from Python's numbering."""
    return int(threading.Thread().name.removeprefix("Thread-"))


def test_counting_in_memory_starts_no_thread() -> None:
    client = app_with(rate_limit="100000/minute")
    before, until = threads_made(), time.monotonic() + 0.2
    while time.monotonic() < until:  # the library's timers last for 10 ms
        assert ask(client).status_code == 200
    assert threads_made() == before + 1


def test_ended_windows_in_memory_are_deleted() -> None:
    counters = limit_counters.ProcessCounters()
    counters.incr("open", 60)
    for number in range(5 * limit_counters.FEW):
        counters.incr(f"ended {number}", 0)
    assert counters.get("open") == 1
    assert counters.reset() <= limit_counters.FEW + 1


def test_window_in_memory_ends() -> None:
    counters = limit_counters.ProcessCounters()
    assert [counters.incr("one", 0.05), counters.incr("one", 0.05)] == [1, 2]
    eventually(lambda: counters.get("one") == 0, within=5)
    assert counters.incr("one", 60) == 1
    assert counters.get_expiry("one") > time.time() + 50
    counters.clear("one")
    assert (counters.get("one"), counters.reset()) == (0, 0)
