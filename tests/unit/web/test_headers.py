"""The security headers of every answer, trusted proxies, and CORS."""

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from runtime.settings import SettingsError, WebSettings
from web.http.images import image_response
from web.http.problems import init_problems
from web.http.request_ids import init_request_ids
from web.security.headers import init_headers

EXPECTED = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' https: http: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "browsing-topics=(), camera=(), geolocation=(), microphone=(), payment=()",
}
HSTS = "Strict-Transport-Security"
SITE = "https://app.example.com"


def app_with(**values: object) -> FlaskClient:
    app = Flask("headers_under_test")
    init_headers(app, WebSettings(**values))
    init_request_ids(app)
    init_problems(app)
    app.add_url_rule("/", view_func=lambda: f"{request.remote_addr} {request.scheme}")
    app.add_url_rule("/api/v1/things", "things", lambda: "[]", methods=["GET", "POST"])
    app.add_url_rule("/image", "image", lambda: image_response(b"RIFF", "0" * 64))
    app.add_url_rule("/boom", "boom", lambda: 1 / 0)
    return app.test_client()


@pytest.mark.parametrize("path", ["/", "/api/v1/things", "/nowhere", "/boom"])
def test_every_answer_has_exactly_the_headers(path: str) -> None:
    answer = app_with().get(path)
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
    assert HSTS not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Location" not in answer.headers  # no redirect to HTTPS


def test_stricter_policy_of_a_view_is_sent() -> None:
    assert app_with().get("/image").headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_hsts_is_sent_over_tls_here_or_at_a_trusted_proxy() -> None:
    assert app_with().get("/", base_url="https://localhost").headers[HSTS] == "max-age=31536000"
    forwarded = {"X-Forwarded-Proto": "https"}
    assert app_with(trusted_proxies=1).get("/", headers=forwarded).headers[HSTS] == "max-age=31536000"
    assert HSTS not in app_with().get("/", headers=forwarded).headers


def test_caller_is_the_peer_unless_a_proxy_is_trusted() -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.66, 198.51.100.7", "X-Forwarded-Proto": "https"}
    assert app_with().get("/", headers=forwarded).text == "127.0.0.1 http"
    # entries by the caller are left of the entry that the proxy added
    assert app_with(trusted_proxies=1).get("/", headers=forwarded).text == "198.51.100.7 https"


def test_port_is_removed_from_an_address_of_a_proxy() -> None:
    forwarded = {"X-Forwarded-For": "[2001:db8::17]:50123"}
    assert app_with(trusted_proxies=1).get("/", headers=forwarded).text == "2001:db8::17 http"


def preflight(client: FlaskClient, origin: str) -> Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return client.options("/api/v1/things", headers=asked)


def test_cors_is_off_unless_configured() -> None:
    answer = preflight(app_with(), SITE)
    assert "Access-Control-" not in str(answer.headers)


def test_only_a_configured_origin_may_call_and_read_headers() -> None:
    client = app_with(cors_origins=f"{SITE}, https://other.example.com")
    answer = preflight(client, SITE)
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]
    assert "ETag" in client.get("/api/v1/things", headers={"Origin": SITE}).headers["Access-Control-Expose-Headers"]
    for origin in ("https://evil.example.com", "null", f"{SITE}.evil.example.com"):
        refused = preflight(client, origin)
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Origin" in refused.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in client.get("/", headers={"Origin": SITE}).headers  # pages have no CORS
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origins", ["*", "https://*", "https://a.example.com/path", "a.example.com", "https://u@h"])
def test_invalid_origin_is_refused(origins: str) -> None:
    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        WebSettings(cors_origins=origins)
