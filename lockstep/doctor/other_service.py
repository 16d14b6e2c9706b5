"""Checks of the other service: that it answers at the URL of the settings, its keys and its clock."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests

from contract.service_calls import LIKES, STATE
from contract.versions import MAX_SEQUENCE
from lockstep.doctor.findings import FAILED, Finding, clock_difference, down, failed, ok
from runtime import call_failures
from web.security.signatures import SignedBy, parse_keys

_SECONDS = (2, 5)  # to connect, to answer
# Signed requests that cost nothing: by service, the method, the path, and the setting with the base URL.
_REQUESTS = {
    "client": ("POST", STATE, "ADMIN_CLIENT_URL"),
    "admin": ("GET", f"{LIKES}/counts?after={MAX_SEQUENCE}", "CLIENT_ADMIN_URL"),
}


def ping(service: str, base_url: str, keys: Any) -> Iterator[Finding]:
    """Send a signed request to ``service`` and judge the answer."""
    method, path, setting = _REQUESTS[service]
    check = f"{service} service"
    try:
        answer = requests.request(
            method,
            f"{base_url}{path}",
            json={} if method == "POST" else None,
            auth=SignedBy(parse_keys(keys), audience=service),
            timeout=_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        fix = f"Start its web service, or correct {setting} ({base_url}) as seen from this host."
        yield down(check, f"does not answer: {call_failures.reason(error)}", fix)
        return
    if clock := _clock(check, answer):
        yield clock
        if clock.state == FAILED:
            return  # a signature with another time is refused even with the right keys
    yield _judge(check, answer, setting, base_url)


def _judge(check: str, answer: requests.Response, setting: str, base_url: str) -> Finding:
    if answer.status_code == HTTPStatus.OK:
        return ok(check, "answers, and accepts our key")
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        fix = (
            "Give both services the same SERVICE_KEYS: each must accept the key that the other signs with. "
            f"If they are the same, a proxy on the way to {setting} ({base_url}) changes paths or bodies: "
            "configure it to pass them unchanged."
        )
        return failed(check, f"refuses our signature: {_detail(answer)}", fix)
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return down(
            check,
            f"answers {answer.status_code}: {_detail(answer)}",
            "Run 'lockstep doctor' on its host, and read its log.",
        )
    fix = f"{setting} ({base_url}) must be the other service's base URL; another program answers there."
    return failed(check, f"answers {answer.status_code} to a request that it supports", fix)


def _clock(check: str, answer: requests.Response) -> Finding | None:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return None
    return clock_difference(f"{check}'s clock", theirs, datetime.now(UTC).replace(microsecond=0), "its host's clock")


def _detail(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])[:200]
    except (ValueError, KeyError, TypeError):
        return "no reason given"
