"""Dead letters at Admin while the Client is down: permissions and errors. With a fake Client: the resync."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from admin.db.extensions import db
from admin.outbox.client_gateway import ClientUnavailableError
from admin.outbox.models import FRESH, Replication
from tests.browsing import Browser
from tests.unit.admin.catalogue import VERIFY_ALL, Api, change
from tests.unit.admin.pages import send

DEAD_LETTERS = "/api/v1/dead-letters"
ONE = f"{DEAD_LETTERS}/{'a' * 32}"
CHANGES = [
    (f"{ONE}/resync", None),
    (f"{ONE}/discard", None),
    (f"{DEAD_LETTERS}/resync", {"state": "open"}),
    (f"{DEAD_LETTERS}/discard", {"state": "open"}),
]


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_change_while_the_client_is_down_answers_503(editor: Api, path: str, body: Any) -> None:
    answer = editor.call("POST", path, json=body)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")


@pytest.mark.parametrize("path", [DEAD_LETTERS, ONE])
def test_list_while_the_client_is_down_answers_503_without_its_address(viewer: Api, path: str) -> None:
    answer = viewer.call("GET", path)
    assert (answer.status_code, "127.0.0.1" in answer.text) == (503, False)
    assert "The Client stores the dead letters" in answer.get_json()["detail"]


@pytest.mark.parametrize("query", ["state=lost", "product=0", "limit=101", "cursor=forged", "resaon=x"])
def test_invalid_query_is_refused(viewer: Api, query: str) -> None:
    assert viewer.call("GET", f"{DEAD_LETTERS}?{query}").status_code in {400, 422}


@pytest.mark.parametrize(
    "body", [{}, {"product": 5}, {"state": None}, {"state": "any"}, {"state": "open", "product": 0}]
)
@pytest.mark.parametrize("action", ["resync", "discard"])
def test_bulk_change_without_a_readable_filter_is_refused(editor: Api, action: str, body: dict[str, Any]) -> None:
    assert editor.call("POST", f"{DEAD_LETTERS}/{action}", json=body).status_code == 422


@pytest.mark.parametrize("query", ["product=5x", "product=0", "product=-1", "state=lost", f"reason={'x' * 101}"])
def test_page_with_an_invalid_filter_changes_no_dead_letter(staff: Browser, query: str) -> None:
    answer = send(staff, f"/console/dead-letters/change?{query}", action="discard", all="1")
    assert answer.status_code == 422
    # A valid filter is sent to the Client, which is down.
    assert send(staff, "/console/dead-letters/change?product=5", action="discard", all="1").status_code == 302


@pytest.mark.parametrize("fields", [{}, {"action": ""}, {"action": "resinc"}])
def test_form_without_an_action_is_refused(staff: Browser, fields: dict[str, str]) -> None:
    assert send(staff, "/console/dead-letters/change", id="a" * 32, **fields).status_code == 422


class FakeClient:
    """Stores dead letters by id; ``down`` after the list was read, where the test says so."""

    def __init__(self, **products: list[int]) -> None:
        self.states = dict.fromkeys(products, "open")
        self._products = products
        self.down = False
        self.pending_at_record: list[int] = []

    def ask(self, path: str, body: Any, *_: Any) -> Any:
        what = path.rpartition("/")[2]
        if what == "show":
            return {"dead_letter": self._shown(body["id"]) if body["id"] in self.states else None}
        if what == "query":
            return {"dead_letters": [self._shown(id_) for id_ in self.states]}
        if self.down:
            raise ClientUnavailableError("down")
        self.pending_at_record = pending()
        self.states.update(dict.fromkeys(body["ids"], f"{what}ed"))
        return {"outcomes": [{"id": id_, "refused": ""} for id_ in body["ids"]]}

    def _shown(self, id_: str) -> dict[str, Any]:
        return {"id": id_, "products": [{"id": product} for product in self._products[id_]]}


def pending() -> list[int]:
    """Return the products that wait for the relay, as another connection sees them."""
    with db.engine.connect() as connection:
        return list(connection.execute(select(Replication.product_id).where(Replication.state == FRESH)).scalars())


@pytest.fixture
def verified_product(app: Flask, editor: Api) -> int:
    """A product that the Client has."""
    product = int(editor.create()["id"])
    change(app, VERIFY_ALL)
    return product


@pytest.fixture
def fake(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeClient]:
    def make(**products: list[int]) -> FakeClient:
        client = FakeClient(**products)
        monkeypatch.setitem(app.extensions, "client_gateway", client)
        return client

    return make


def test_resync_commits_its_products_as_pending_before_it_is_recorded(
    editor: Api, verified_product: int, fake: Callable[..., FakeClient]
) -> None:
    id_ = "a" * 32
    client = fake(**{id_: [verified_product, 999]})
    answer = editor.call("POST", f"{ONE}/resync")
    assert (answer.status_code, answer.headers["Location"]) == (202, ONE)
    assert (client.pending_at_record, client.states) == ([verified_product], {id_: "resynced"})
    assert editor.call("POST", f"{ONE}/resync").status_code == 202, "a second resync is harmless"


def test_client_that_fails_before_the_record_leaves_the_dead_letter_open_and_its_product_pending(
    app: Flask, editor: Api, verified_product: int, fake: Callable[..., FakeClient]
) -> None:
    client = fake(**{"a" * 32: [verified_product]})
    client.down = True
    assert editor.call("POST", f"{ONE}/resync").status_code == 503
    assert client.states == {"a" * 32: "open"}
    with app.app_context():
        assert pending() == [verified_product]


def test_resync_of_all_refuses_only_those_whose_products_admin_never_had(
    editor: Api, verified_product: int, fake: Callable[..., FakeClient]
) -> None:
    client = fake(known=[verified_product], unknown=[998, 999])
    result = editor.call("POST", f"{DEAD_LETTERS}/resync", json={"state": "open"}).get_json()
    reason = "Admin never had its products; discard the dead letter"
    assert result == {"accepted": 1, "refused": [{"id": "unknown", "refused": reason}], "more": False}
    assert client.states == {"known": "resynced", "unknown": "open"}
