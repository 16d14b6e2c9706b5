"""Shared by the tests of service calls: signed requests, recorded ones, and requests of a newer version."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from web.security.signatures import SignedBy


def service_routes(app: Flask) -> set[tuple[str, str]]:
    """Return method and rule of every route for the other service."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/service/")]
    return {(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def signed(method: str, path: str, body: Any, auth: SignedBy) -> requests.PreparedRequest:
    return requests.Request(method, f"http://x{path}", json=body, auth=auth).prepare()


def send(client: FlaskClient, prepared: requests.PreparedRequest) -> TestResponse:
    """Send exactly the signed bytes, as in a replay attack."""
    headers = dict(prepared.headers)
    return client.open(prepared.path_url, method=prepared.method, headers=headers, data=prepared.body)


def timeless(value: Any) -> Any:
    """Return ``value`` without its times, some of which change with each call."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [timeless(inner) for inner in value]
    return "a time" if isinstance(value, datetime) else value


# --- recorded calls: each service must work with the version before and after

_SAMPLES = Path(__file__).parent / "contract" / "samples" / "service"


def recorded(service: str) -> dict[str, dict[str, Any]]:
    """Return request and answer of each call of ``service`` ("admin" or "client"), by method and rule."""
    calls: dict[str, dict[str, Any]] = json.loads((_SAMPLES / f"{service}.json").read_text(encoding="utf-8"))
    return calls


def departures(service: str, call: str, request: Any, answer: Any) -> list[str]:
    """Return the differences of a call from the recorded one, and the fields missing in its answer."""
    sample = recorded(service)[call]
    other = [*_lacks(sample["request"], request, "request"), *_lacks(request, sample["request"], "recorded")]
    return [*other, *_lacks(sample["answer"], answer, "answer")]


def _lacks(needed: Any, given: Any, where: str) -> Iterator[str]:
    """Yield the fields of ``needed`` that ``given`` lacks or has in another type; null and [] match anything."""
    if needed is None or given is None:
        return
    if isinstance(needed, dict) and isinstance(given, dict):
        for name, value in needed.items():
            if name in given:
                yield from _lacks(value, given[name], f"{where}.{name}")
            else:
                yield f"{where}.{name} is gone"
    elif isinstance(needed, list) and isinstance(given, list):
        if needed and given:
            yield from _lacks(needed[0], given[0], f"{where}[0]")
    elif type(needed) is not type(given):
        yield f"{where} was {needed!r}, is {given!r}"


def with_more(value: Any) -> Any:
    """Return ``value`` as a newer version may send it: with unknown fields."""
    if isinstance(value, dict):
        return {**{name: with_more(inner) for name, inner in value.items()}, "added_later": {"anything": 1}}
    return [with_more(inner) for inner in value] if isinstance(value, list) else value
