"""Common parts of both services' pages: assets, the theme, and error pages."""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from web.http.problems import ProblemError, init_problems
from web.http.request_ids import init_request_ids
from web.pages.assets import asset
from web.pages.layout import init_pages, local_path, utc

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
BASE = '{% extends "layout.html" %}{% block content %}{% endblock %}'


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text(BASE)
    (tmp_path / "shop.js").write_text("export {};")
    app = Flask("pages_under_test", root_path=str(tmp_path))
    app.config["SECRET_KEY"] = "k" * 32
    init_request_ids(app)
    init_problems(app)
    init_pages(app, "Test shop", {"shop": tmp_path})
    app.add_url_rule("/", view_func=lambda: render_template_string('{% extends "base.html" %}'))
    app.add_url_rule("/boom", "boom", lambda: 1 / 0)
    app.add_url_rule("/api/boom", "api_boom", lambda: 1 / 0)
    app.add_url_rule("/gone", "gone", _gone)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _gone() -> str:
    raise GoneError("It was <deleted>.")


class GoneError(ProblemError):
    status = HTTPStatus.GONE


def test_assets_are_cached_for_ever_and_compressed(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        url = asset("bootstrap/css/bootstrap.min.css")
    plain = client.get(url)
    assert "immutable" in plain.headers["Cache-Control"]
    zipped = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert len(zipped.data) < 40_000 < len(plain.data)
    again = client.get(url, headers={"If-None-Match": plain.headers["ETag"]})
    assert again.status_code == HTTPStatus.NOT_MODIFIED


def test_assets_of_another_version_are_not_cached(client: FlaskClient) -> None:
    answer = client.get("/assets/0123456789ab/shop/shop.js")
    assert answer.data == b"export {};"
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["web/../pages.py", "web/nothing.js", "etc/passwd", "web", "shop//etc/passwd", "shop/./shop.js"]
)
def test_only_assets_are_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/x/{name}").status_code == HTTPStatus.NOT_FOUND


def test_browsers_get_errors_as_pages_and_programs_as_problems(client: FlaskClient) -> None:
    page = client.get("/gone", headers=BROWSER)
    assert (page.status_code, page.mimetype) == (HTTPStatus.GONE, "text/html")
    assert "It was &lt;deleted&gt;." in page.text
    assert client.get("/gone").mimetype == "application/problem+json"
    assert client.get("/nothing", headers=BROWSER).mimetype == "text/html"
    assert client.get("/api/nothing", headers=BROWSER).mimetype == "application/problem+json"


def test_internal_error_leaks_nothing_and_names_the_request(client: FlaskClient) -> None:
    page = client.get("/boom", headers={**BROWSER, "X-Request-ID": "r-42"})
    assert page.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "r-42" in page.text
    assert "division" not in page.text


def test_theme_is_stored_and_switches_in_a_circle(client: FlaskClient) -> None:
    assert 'data-bs-theme="' not in client.get("/").text
    back = client.post("/theme", data={"theme": "dark", "next": "/products/1"})
    assert back.headers["Location"] == "/products/1"
    assert 'data-bs-theme="dark"' in client.get("/").text
    client.post("/theme", data={"theme": "pink"})
    assert 'data-bs-theme="dark"' in client.get("/").text


def test_pages_have_no_inline_scripts_or_styles(client: FlaskClient) -> None:
    text = client.get("/").text
    assert " style=" not in text
    assert "<style" not in text
    assert "<script>" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "url", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil", "", None, "/a\nb"]
)
def test_return_path_never_leads_to_another_host(url: str | None) -> None:
    assert local_path(url, "/") == "/"


def test_times_without_a_zone_are_utc() -> None:
    moments = (datetime(2026, 11, 5, 4, 11), datetime(2026, 11, 5, 4, 11, tzinfo=UTC), "2026-11-05T04:11:00Z")  # noqa: DTZ001
    assert {utc(moment) for moment in moments} == {"5 Nov 2026, 04:11 UTC"}
