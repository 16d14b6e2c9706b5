"""Read-only mode."""

import pytest
from flask import Flask, render_template_string
from jinja2 import DictLoader

from web.http.problems import init_problems
from web.http.request_ids import init_request_ids
from web.pages.layout import init_pages
from web.security.read_only import init_read_only, read_only

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PATHS = {"closed": "/api/closed", "open": "/open", "service": "/service/v1/x", "form": "/form"}
PAGE = '{% extends "layout.html" %}'


def app_that_is(read_only: bool) -> Flask:
    app = Flask("read_only_under_test")
    app.jinja_loader = DictLoader({"base.html": PAGE})
    app.config["SECRET_KEY"] = "k" * 32
    init_request_ids(app)
    init_problems(app)
    init_pages(app, "Test", {})
    init_read_only(app, read_only, {"open"})
    for endpoint, path in PATHS.items():
        app.add_url_rule(path, endpoint, lambda: "done", methods=METHODS)
    app.add_url_rule("/page", "page", lambda: render_template_string(PAGE))
    return app


@pytest.mark.parametrize("method", METHODS[1:])
def test_changes_by_people_are_refused_with_a_reason(method: str) -> None:
    client = app_that_is(True).test_client()
    answer = client.open("/api/closed", method=method)
    assert answer.status_code == 403
    assert "read-only demonstration" in answer.get_json()["detail"]
    page = client.open("/form", method=method, headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert "read-only demonstration" in page.text


def test_reading_service_calls_and_allowed_endpoints_work() -> None:
    client = app_that_is(True).test_client()
    assert client.get("/api/closed").text == "done"
    assert client.post("/open").text == "done"
    assert client.post("/service/v1/x").text == "done"
    assert client.post("/theme", data={"theme": "dark", "next": "/page"}).status_code == 403


def test_pages_show_that_they_are_read_only() -> None:
    assert "read-only demonstration" in app_that_is(True).test_client().get("/page").text
    assert "read-only demonstration" not in app_that_is(False).test_client().get("/page").text


def test_nothing_is_refused_without_read_only_mode() -> None:
    app = app_that_is(False)
    assert app.test_client().post("/api/closed").text == "done"
    with app.app_context():
        assert not read_only()
    assert not read_only()
