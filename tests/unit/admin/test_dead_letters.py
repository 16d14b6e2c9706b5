"""The door to the Client's dead letters while no Client is there: who may pass, and what is said."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from admin.accounts.models import VIEWER
from tests.browsing import Browser
from tests.unit.admin.catalogue import Api
from tests.unit.admin.pages import send

LETTERS = "/api/v1/dead-letters"
LETTER = f"{LETTERS}/{'a' * 32}"
CHANGES = [
    (f"{LETTER}/replay", None),
    (f"{LETTER}/discard", None),
    (f"{LETTERS}/replay", {"state": "new"}),
    (f"{LETTERS}/discard", {"state": "new"}),
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


@pytest.mark.parametrize(
    "body", [{}, {"product": 5}, {"state": None}, {"state": "any"}, {"state": "new", "product": 0}]
)
@pytest.mark.parametrize("action", ["replay", "discard"])
def test_bulk_change_without_a_readable_filter_is_refused(editor: Api, action: str, body: dict[str, Any]) -> None:
    assert editor.call("POST", f"{LETTERS}/{action}", json=body).status_code == 422


@pytest.mark.parametrize("query", ["product=5x", "product=0", "product=-1", "state=lost", f"reason={'x' * 101}"])
def test_page_does_not_settle_all_where_its_filter_cannot_be_read(staff: Browser, query: str) -> None:
    answer = send(staff, f"/console/dead-letters/settle?{query}", action="discard", all="1")
    assert answer.status_code == 422
    # A readable one is passed on, to a Client that is away.
    assert send(staff, "/console/dead-letters/settle?product=5", action="discard", all="1").status_code == 302


@pytest.mark.parametrize("fields", [{}, {"action": ""}, {"action": "repaly"}])
def test_page_that_does_not_say_what_to_do_with_letters_does_nothing(staff: Browser, fields: dict[str, str]) -> None:
    assert send(staff, "/console/dead-letters/settle", id="a" * 32, **fields).status_code == 422


def test_id_that_is_none_is_not_found(editor: Api) -> None:
    assert editor.call("GET", f"{LETTERS}/nothing").status_code == 404
    assert editor.call("POST", f"{LETTERS}/nothing/replay").status_code == 404
