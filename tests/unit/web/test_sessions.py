"""Sessions of the pages: what a form needs, what signing in changes, who is asked to sign in."""

import io
from http import HTTPStatus

import pytest
from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from flask_login import UserMixin, current_user, login_required
from flask_wtf.csrf import generate_csrf
from itsdangerous import TimestampSigner

from runtime.settings import WebSettings
from web.http.problems import init_problems
from web.http.request_ids import init_request_ids
from web.http.uploads import accepts_upload
from web.pages.layout import init_pages
from web.security import sessions
from web.security.headers import init_headers

BROWSER = {"Accept": "text/html"}


class Someone(UserMixin):
    id = "someone"


def _begin() -> str:
    sessions.begin(Someone())
    return "in"


def _end() -> str:
    sessions.end()
    return "out"


def _upload() -> str:
    return str(len(request.files["file"].read()))


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("sessions_under_test", template_folder=None)
    app.config["SECRET_KEY"] = "k" * 32
    init_headers(app, WebSettings(trusted_proxies=1))
    init_request_ids(app)
    init_problems(app)
    init_pages(app, "Test", {})
    sessions.init_sessions(app, "test_session", lambda user_id: Someone() if user_id == "someone" else None, "token")
    app.add_url_rule("/token", "token", generate_csrf)
    app.add_url_rule("/me", "me", login_required(lambda: current_user.id))
    app.add_url_rule("/in", "in", _begin, methods=["POST"])
    app.add_url_rule("/out", "out", _end, methods=["POST"])
    app.config["MAX_CONTENT_LENGTH"] = 100_000
    app.add_url_rule("/upload", "upload", accepts_upload(1)(_upload), methods=["POST"])
    app.add_url_rule("/before", "before", lambda: session.setdefault("before", "x"))
    app.add_url_rule("/api/write", "write", lambda: "written", methods=["POST"])
    return app.test_client()


def test_a_form_without_its_token_is_refused(client: FlaskClient) -> None:
    assert client.post("/in").status_code == HTTPStatus.BAD_REQUEST
    token = client.get("/token").text
    assert client.post("/in", data={"csrf_token": token + "x"}).status_code == HTTPStatus.BAD_REQUEST
    assert client.post("/in", data={"csrf_token": token}).text == "in"


def test_a_form_with_a_large_file_passes_where_files_are_taken_and_only_there(client: FlaskClient) -> None:
    token = client.get("/token").text
    with io.BytesIO(b"x" * 300_000) as file:
        form = {"csrf_token": token, "file": (file, "large.bin")}
        assert client.post("/upload", data=form).text == "300000"
    with io.BytesIO(b"x" * 300_000) as file:
        form = {"csrf_token": token, "file": (file, "large.bin")}
        assert client.post("/in", data=form).status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_the_api_takes_no_session_so_it_needs_no_token(client: FlaskClient) -> None:
    assert client.post("/api/write").text == "written"


SHOP = "https://shop.example"
SOURCES = [  # what a browser tells, and whether the form is taken
    ({}, True),
    ({"Origin": SHOP}, True),
    ({"Origin": f"{SHOP}:443"}, True),
    ({"Origin": SHOP, "Referer": "https://other.example/"}, True),
    ({"Referer": f"{SHOP}/token?x=1"}, True),
    ({"Origin": "null", "Referer": f"{SHOP}/token"}, True),
    ({"Origin": "null"}, False),
    ({"Origin": "http://shop.example"}, False),
    ({"Origin": "https://shop.example:8443"}, False),
    ({"Origin": "https://shop.example.evil.example"}, False),
    ({"Origin": "https://evil.example", "Referer": f"{SHOP}/token"}, False),
    ({"Origin": "https://shop.example:x"}, False),
    ({"Referer": "https://evil.example/?https://shop.example/"}, False),
]


@pytest.mark.parametrize(("source", "taken"), SOURCES)
@pytest.mark.parametrize(
    ("base", "forwarded"),
    [
        (SHOP, {}),
        ("http://10.0.0.5:8000", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}),
        (
            "http://10.0.0.5:8000",
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example", "X-Forwarded-Port": "443"},
        ),
    ],
    ids=["TLS here", "TLS at a proxy", "TLS at a proxy that tells its port"],
)
def test_form_over_tls_is_taken_by_its_token_unless_it_comes_from_elsewhere(
    client: FlaskClient, base: str, forwarded: dict[str, str], source: dict[str, str], taken: bool
) -> None:
    token = client.get("/token", base_url=base, headers=forwarded).text
    sent = {"base_url": base, "headers": {**forwarded, **source}}
    assert client.post("/in", data={"csrf_token": token}, **sent).status_code == (200 if taken else 400)


class _Ahead(TimestampSigner):
    """The signer of a host whose clock is ahead."""

    seconds = 0

    def get_timestamp(self) -> int:
        return super().get_timestamp() + self.seconds


@pytest.mark.parametrize(
    ("seconds", "status"), [(1, 200), (9, 200), (60, 401), (-13 * 24 * 3600, 200), (-15 * 24 * 3600, 401)]
)
def test_cookie_of_a_host_whose_clock_is_ten_seconds_ahead_counts(
    client: FlaskClient, seconds: int, status: int
) -> None:
    serializer = SecureCookieSessionInterface().get_signing_serializer(client.application)
    assert serializer is not None
    serializer.signer = type("Ahead", (_Ahead,), {"seconds": seconds})
    client.set_cookie("test_session", str(serializer.dumps({"_user_id": "someone"})))
    assert client.get("/me").status_code == status


def test_signing_in_begins_a_new_session(client: FlaskClient) -> None:
    client.get("/before")
    token = client.get("/token").text
    client.post("/in", data={"csrf_token": token})
    assert client.get("/me").text == "someone"
    with client.session_transaction() as now:
        assert "before" not in now
        assert "csrf_token" not in now
    assert client.post("/out", data={"csrf_token": token}).status_code == HTTPStatus.BAD_REQUEST


def test_signing_out_forgets_everything(client: FlaskClient) -> None:
    client.post("/in", data={"csrf_token": client.get("/token").text})
    client.post("/out", data={"csrf_token": client.get("/token").text})
    with client.session_transaction() as now:
        assert "_user_id" not in now
    assert client.get("/me").status_code == HTTPStatus.UNAUTHORIZED


def test_browsers_are_led_to_the_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/me?x=1", headers=BROWSER)
    assert answer.headers["Location"] == "/token?next=/me?x%3D1"


@pytest.mark.parametrize("base", ["http://localhost", "https://localhost"])
def test_the_cookie_is_for_the_server_alone_and_secure_over_tls(client: FlaskClient, base: str) -> None:
    cookie = client.get("/before", base_url=base).headers["Set-Cookie"]
    assert cookie.startswith("test_session=")
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) == base.startswith("https")
