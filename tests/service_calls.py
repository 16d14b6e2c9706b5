"""What the tests of replayed service calls share: one signed request sent twice, and a look at everything stored."""

from datetime import datetime
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from web.signatures import SignedBy


def service_routes(app: Flask) -> set[tuple[str, str]]:
    """Return method and rule of every door that the other service alone may pass."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/service/")]
    return {(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def signed(method: str, path: str, body: Any, auth: SignedBy) -> requests.PreparedRequest:
    return requests.Request(method, f"http://x{path}", json=body, auth=auth).prepare()


def send(client: FlaskClient, prepared: requests.PreparedRequest) -> TestResponse:
    """Send exactly what was signed, as whoever has listened could."""
    headers = dict(prepared.headers)
    return client.open(prepared.path_url, method=prepared.method, headers=headers, data=prepared.body)


def timeless(value: Any) -> Any:
    """Return ``value`` without its moments: when something was last asked for may well change."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [timeless(inner) for inner in value]
    return "a moment" if isinstance(value, datetime) else value
