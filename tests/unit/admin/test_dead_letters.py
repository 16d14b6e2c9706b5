"""The door to the Client's dead letters while no Client is there: who may pass, and what is said."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from admin.accounts.models import VIEWER
from tests.unit.admin.catalogue import Api

LETTERS = "/api/v1/dead-letters"
LETTER = f"{LETTERS}/{'a' * 32}"
CHANGES = [
    (f"{LETTER}/replay", None),
    (f"{LETTER}/discard", None),
    (f"{LETTERS}/replay", {}),
    (f"{LETTERS}/discard", {}),
]


@pytest.fixture
def viewer(client: FlaskClient, tokens: dict[str, str]) -> Api:
    return Api(client, tokens[VIEWER])


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_viewers_may_not_change_anything(viewer: Api, path: str, body: Any) -> None:
    assert viewer.call("POST", path, json=body).status_code == 403


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_client_that_is_away_is_told_to_who_wants_to_change(editor: Api, path: str, body: Any) -> None:
    answer = editor.call("POST", path, json=body)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")


@pytest.mark.parametrize("path", [LETTERS, LETTER])
def test_client_that_is_away_is_told_to_who_looks_without_its_address(viewer: Api, path: str) -> None:
    answer = viewer.call("GET", path)
    assert (answer.status_code, "127.0.0.1" in answer.text) == (503, False)
    assert "The Client keeps the dead letters" in answer.get_json()["detail"]


def test_nobody_looks_without_signing_in(client: FlaskClient) -> None:
    assert [client.get(path).status_code for path in (LETTERS, LETTER)] == [401, 401]


@pytest.mark.parametrize("query", ["state=lost", "product=0", "limit=101", "cursor=forged", "resaon=x"])
def test_wrong_question_is_not_passed_on(viewer: Api, query: str) -> None:
    assert viewer.call("GET", f"{LETTERS}?{query}").status_code in {400, 422}


def test_id_that_is_none_is_not_found(editor: Api) -> None:
    assert editor.call("GET", f"{LETTERS}/nothing").status_code == 404
    assert editor.call("POST", f"{LETTERS}/nothing/replay").status_code == 404
