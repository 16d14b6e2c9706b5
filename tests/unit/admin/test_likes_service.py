"""Admin's side of likes: each counts once per shopper and product, also when it arrives twice, late or unsigned."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from admin.catalogue.service import ANY_VERSION, delete_product
from admin.db.extensions import db
from admin.likes.models import LikeCount, ProductLike
from admin.likes.service import apply_likes
from contract.messages import LikeChanged
from contract.service_calls import APPLIED, GONE, INVALID, LIKES, MAX_LIKES, SUPERSEDED, UNKNOWN, LikeOutcome
from tests.unit.admin.catalogue import KEYS, Api
from web.security.signatures import SignedBy

SECRETS = {key_id: secret.encode() for key_id, _, secret in (entry.partition(":") for entry in KEYS.split(","))}


@pytest.fixture
def product(app: Flask, editor: Api) -> Iterator[int]:
    """A product that may be liked, inside the app's context."""
    product_id = editor.create()["id"]
    with app.app_context():
        yield product_id
        db.session.rollback()


def like(product: int, revision: int, liked: bool = True, user: str = "u1") -> LikeChanged:
    return LikeChanged(product, user, revision, liked)


def count(product: int) -> int:
    """The product's count, checked against the set it counts."""
    likes = db.session.scalar(select(LikeCount.likes).filter_by(product_id=product)) or 0
    held = db.session.scalar(select(func.count()).select_from(ProductLike).filter_by(product_id=product, liked=True))
    db.session.rollback()
    assert likes == held
    return likes


# --- the use case -----------------------------------------------------------------------------------------


# What arrives one after another, revision and state; then the last outcome and the count.
ARRIVALS: dict[str, tuple[list[tuple[int, bool]], LikeOutcome, int]] = {
    "like": ([(1, True)], LikeOutcome(APPLIED, 1, True), 1),
    "like and unlike": ([(1, True), (2, False)], LikeOutcome(APPLIED, 2, False), 0),
    "first state is an unlike": ([(2, False)], LikeOutcome(APPLIED, 2, False), 0),
    "same like twice": ([(1, True), (1, True)], LikeOutcome(SUPERSEDED, 1, True), 1),
    "lower revision": ([(3, False), (2, True)], LikeOutcome(SUPERSEDED, 3, False), 0),
    "equal revision of another state": ([(3, True), (3, False)], LikeOutcome(SUPERSEDED, 3, True), 1),
    "higher revision of the same state": ([(1, True), (5, True)], LikeOutcome(APPLIED, 5, True), 1),
    "revision below that": ([(1, True), (5, True), (4, False)], LikeOutcome(SUPERSEDED, 5, True), 1),
}


@pytest.mark.parametrize(("arriving", "last", "counted"), ARRIVALS.values(), ids=ARRIVALS)
def test_higher_revision_of_a_like_is_applied_and_counted_once(
    product: int, arriving: list[tuple[int, bool]], last: LikeOutcome, counted: int
) -> None:
    outcomes = [apply_likes([like(product, revision, liked)]) for revision, liked in arriving]
    assert outcomes[-1] == [last]
    assert count(product) == counted


def test_likes_of_several_shoppers_add_up(product: int) -> None:
    apply_likes([like(product, 1, user=f"u{number}") for number in range(MAX_LIKES)])
    assert count(product) == MAX_LIKES


def test_states_of_one_shopper_in_one_batch_are_applied_in_order(product: int) -> None:
    batch = [like(product, 2, liked=False), like(product, 1), like(product, 3), like(product, 3)]
    assert [(o.outcome, o.revision, o.liked) for o in apply_likes(batch)] == [
        (APPLIED, 2, False),
        (SUPERSEDED, 2, False),
        (APPLIED, 3, True),
        (SUPERSEDED, 3, True),
    ]
    assert count(product) == 1


def test_deleted_product_accepts_unlikes_and_repetitions_but_no_like(product: int) -> None:
    """An erased account leaves no like, even of a deleted product."""
    apply_likes([like(product, 1), like(product, 1, user="u3")])
    delete_product(product, ANY_VERSION, "test")
    batch = [like(product, 2, liked=False), like(product, 1, user="u2"), like(product, 1, user="u3")]
    assert apply_likes(batch) == [
        LikeOutcome(APPLIED, 2, False),
        LikeOutcome(GONE, 0, False),
        LikeOutcome(SUPERSEDED, 1, True),
    ]
    assert apply_likes([like(product, 2, user="u3")]) == [LikeOutcome(GONE, 1, True)]
    assert count(product) == 1


def test_superseding_state_is_returned_with_its_time(product: int) -> None:
    assert apply_likes([like(product, 2)])[0].received_at is None
    assert apply_likes([like(product, 1)])[0].received_at == db.session.scalar(select(ProductLike.received_at))


def test_counts_of_many_products_change_in_one_batch(editor: Api, product: int) -> None:
    other = editor.create(sku="OTHER")["id"]
    apply_likes([like(product, 1), like(other, 1), like(other, 1, user="u2")])
    apply_likes([like(product, 2, liked=False), like(other, 2, liked=False), like(other, 1, user="u3")])
    assert (count(product), count(other)) == (0, 2)


def test_unknown_product_is_answered_beside_good_ones(product: int) -> None:
    far = (1 << 63) - 1
    assert apply_likes([like(999, 1), like(product, 1), like(far, far)]) == [
        LikeOutcome(UNKNOWN),
        LikeOutcome(APPLIED, 1, True),
        LikeOutcome(UNKNOWN),
    ]
    assert count(product) == 1
    assert db.session.scalar(select(func.count()).select_from(ProductLike)) == 1


def test_count_is_shown_with_the_product_and_makes_no_version(editor: Api, product: int) -> None:
    apply_likes([like(product, 1), like(product, 1, user="u2")])
    shown = editor.show(product).get_json()
    assert (shown["likes"], shown["version"]) == (2, 1)
    assert editor.listed().get_json()["items"][0]["likes"] == 2


USERS = ("u1", "u2", "u3")
histories = st.fixed_dictionaries({user: st.lists(st.booleans(), max_size=5) for user in USERS})


@pytest.mark.usefixtures("product")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=histories, data=st.data())
def test_any_order_and_number_of_arrivals_gives_the_same_count(
    editor: Api, histories: dict[str, list[bool]], data: st.DataObject
) -> None:
    """Each shopper's history is sent shuffled, in parts, some of it twice, and nothing is left out."""
    product_id = editor.create(sku=uuid.uuid4().hex)["id"]  # every example has a product of its own
    sent = [
        like(product_id, revision, liked, u)
        for u, states in histories.items()
        for revision, liked in enumerate(states, 1)
    ]
    again = data.draw(st.lists(st.sampled_from(sent), max_size=8)) if sent else []
    arrivals = data.draw(st.permutations(sent + again))
    while arrivals:
        size = data.draw(st.integers(1, len(arrivals)))
        apply_likes(arrivals[:size])
        arrivals = arrivals[size:]
        count(product_id)
    assert count(product_id) == sum(states[-1] for states in histories.values() if states)


# --- the signed door --------------------------------------------------------------------------------------


def encoded(*likes: LikeChanged) -> dict[str, Any]:
    return {"likes": [one.encode() for one in likes]}


def post(client: FlaskClient, body: Any, path: str = LIKES, times: int = 1) -> TestResponse:
    """Send one signed request ``times`` times; return the last answer."""
    auth = SignedBy(SECRETS, audience="admin")
    prepared = requests.Request("POST", f"http://admin{path}", json=body, auth=auth).prepare()
    answers = [client.post(path, data=prepared.body, headers=dict(prepared.headers)) for _ in range(times)]
    return answers[-1]


def refused(answer: TestResponse, status: int) -> None:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    assert answer.get_json()["request_id"]


def test_signed_batch_is_applied_with_an_outcome_for_each_like(client: FlaskClient, product: int) -> None:
    answer = post(client, encoded(like(product, 1), like(999, 1), like(product, 1)))
    assert answer.status_code == 200
    assert answer.get_json()["outcomes"] == [
        {"outcome": APPLIED, "revision": 1, "liked": True, "reason": "", "received_at": None},
        {"outcome": UNKNOWN, "revision": 0, "liked": False, "reason": "", "received_at": None},
        {"outcome": SUPERSEDED, "revision": 1, "liked": True, "reason": "", "received_at": None},
    ]
    assert count(product) == 1


def test_signed_batch_may_arrive_twice(client: FlaskClient, product: int) -> None:
    assert post(client, encoded(like(product, 1)), times=2).get_json()["outcomes"][0]["outcome"] == SUPERSEDED
    assert count(product) == 1


GOOD = {"type": "like.changed.v1", "product": 1, "user": "u1", "revision": 1, "liked": True}
BAD_LIKES: dict[str, Any] = {
    "null": None,
    "number": 7,
    "text": "like",
    "list": [],
    "empty": {},
    "deep": [[[[{}]]]],
    "type": {**GOOD, "type": "like.changed"},
    "product missing": {k: v for k, v in GOOD.items() if k != "product"},
    "product text": {**GOOD, "product": "1"},
    "product true": {**GOOD, "product": True},
    "product 0": {**GOOD, "product": 0},
    "product float": {**GOOD, "product": 1.0},
    "product huge": {**GOOD, "product": 1 << 63},
    "revision negative": {**GOOD, "revision": -1},
    "revision null": {**GOOD, "revision": None},
    "revision huge": {**GOOD, "revision": 10**400},
    "user empty": {**GOOD, "user": ""},
    "user long": {**GOOD, "user": "u" * 65},
    "user break": {**GOOD, "user": "u1\n"},
    "user surrogate": {**GOOD, "user": "\ud800"},
    "user NUL": {**GOOD, "user": "u\0"},
    "liked number": {**GOOD, "liked": 1},
    "liked text": {**GOOD, "liked": "true"},
}


@pytest.mark.parametrize("bad", BAD_LIKES.values(), ids=BAD_LIKES)
def test_bad_like_is_reported_and_its_neighbours_are_applied(client: FlaskClient, product: int, bad: Any) -> None:
    good = [like(product, 1, user=user).encode() for user in ("before", "after")]
    answer = post(client, {"likes": [good[0], bad, good[1]]})
    assert answer.status_code == 200, answer.text
    outcomes = answer.get_json()["outcomes"]
    assert [outcome["outcome"] for outcome in outcomes] == [APPLIED, INVALID, APPLIED]
    assert outcomes[1]["reason"]
    assert count(product) == 2


def test_batch_of_bad_likes_only_is_answered(client: FlaskClient, product: int) -> None:
    answer = post(client, {"likes": [7, 8]})
    assert [outcome["outcome"] for outcome in answer.get_json()["outcomes"]] == [INVALID, INVALID]
    assert count(product) == 0


def test_unknown_fields_are_ignored(client: FlaskClient, product: int) -> None:
    answer = post(client, {"likes": [{**like(product, 1).encode(), "mood": "happy"}]})
    assert answer.get_json()["outcomes"][0]["outcome"] == APPLIED


@pytest.mark.parametrize("body", [[], {}, {"likes": []}, {"likes": None}, {"likes": {}}])
def test_body_that_is_no_batch_is_refused(client: FlaskClient, product: int, body: Any) -> None:
    refused(post(client, body), 422)
    assert count(product) == 0


def test_largest_batch_is_accepted_and_a_larger_one_refused_whole(client: FlaskClient, product: int) -> None:
    likes = [like(product, 1, user=f"u{number}") for number in range(MAX_LIKES + 1)]
    refused(post(client, encoded(*likes)), 422)
    assert count(product) == 0
    assert post(client, encoded(*likes[:-1])).status_code == 200
    assert count(product) == MAX_LIKES


# --- strangers --------------------------------------------------------------------------------------------


def test_unsigned_batch_is_refused(client: FlaskClient, editor: Api, product: int) -> None:
    refused(client.post(LIKES, json=encoded(like(product, 1))), 401)
    refused(editor.call("POST", LIKES, json=encoded(like(product, 1))), 401)  # a person's token is no signature
    assert count(product) == 0


def test_states_of_products_are_for_the_client_only(client: FlaskClient, editor: Api, product: int) -> None:
    path, ids = "/service/v1/products/states", {"ids": [product, 999, 10**17]}

    (state,) = post(client, ids, path).get_json()["states"]
    assert (state["type"], state["id"], state["sequence"]) == ("product.changed.v1", product, 1)
    assert (state["deleted"], state["product"]["sku"]) == (False, "MUG-1")
    refused(client.post(path, json=ids), 401)
    refused(editor.call("POST", path, json=ids), 401)
    delete_product(product, ANY_VERSION, "test")
    (state,) = post(client, ids, path).get_json()["states"]
    assert (state["sequence"], state["deleted"], state["product"]) == (2, True, None)


def test_unsigned_body_is_not_validated(client: FlaskClient, product: int) -> None:
    refused(client.post(LIKES, data=b"{", content_type="application/json"), 401)
    refused(client.post(LIKES, data=json.dumps({"likes": 1}), content_type="application/json"), 401)
    assert count(product) == 0
