"""The other service: does it answer where the settings say, with the same keys and the same time?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests

from contract.service_calls import LIKES, STATE
from contract.versions import MAX_SEQUENCE
from lockstep.doctor.findings import FAILED, Finding, down, failed, ok, skew
from runtime import call_failures
from web.security.signatures import SignedBy, parse_keys

_SECONDS = (2, 5)  # to connect, to answer
# Signed questions that cost nothing: who is asked, how, and which setting says where.
_QUESTIONS = {
    "client": ("POST", STATE, "ADMIN_CLIENT_URL"),
    "admin": ("GET", f"{LIKES}/counts?after={MAX_SEQUENCE}", "CLIENT_ADMIN_URL"),
}


def ping(service: str, base_url: str, keys: Any) -> Iterator[Finding]:
    """Ask ``service`` a signed question."""
    method, path, setting = _QUESTIONS[service]
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
        cure = f"Is its web service up, and is {setting} ({base_url}) right from here?"
        yield down(check, f"does not answer: {call_failures.reason(error)}", cure)
        return
    if clock := _clock(check, answer):
        yield clock
        if clock.state == FAILED:
            return  # a signature of another time is refused: the keys may be right
    yield _judge(check, answer, setting, base_url)


def _judge(check: str, answer: requests.Response, setting: str, base_url: str) -> Finding:
    if answer.status_code == HTTPStatus.OK:
        return ok(check, "answers, with the same keys")
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        cure = (
            "Give both services the same SERVICE_KEYS; the key that signs must be among those that the other accepts. "
            f"If they are, a proxy on the way to {setting} ({base_url}) changes paths or bodies: have it pass them on "
            "unchanged."
        )
        return failed(check, f"refuses our signature: {_detail(answer)}", cure)
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return down(
            check, f"answers {answer.status_code}: {_detail(answer)}", "Run 'lockstep doctor' on its host; see its log."
        )
    cure = f"{setting} ({base_url}) must be the other service's base URL; something else answers there."
    return failed(check, f"answers {answer.status_code} to a question that it knows", cure)


def _clock(check: str, answer: requests.Response) -> Finding | None:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return None
    return skew(f"{check}'s clock", theirs, datetime.now(UTC).replace(microsecond=0), "its host's clock")


def _detail(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])[:200]
    except (ValueError, KeyError, TypeError):
        return "no reason given"
