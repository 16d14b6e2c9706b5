"""Forwarding to an Admin that fails over real HTTP: likes wait, arrive later, and are counted once."""

import time
from contextlib import suppress
from typing import Any

import pytest

from admin.catalogue.service import ANY_VERSION, delete_product
from client.likes import breaker, drain
from client.likes.documents import Like
from tests.flow.likes_both_sides import BothSides

GARBAGE = [b"", b"null", b"[]", b"{broken", b'{"outcomes": []}', b'{"outcomes": [7, 7, 7]}', b"\xff\xfe", b"[" * 9_999]


def test_malformed_like_is_parked_with_its_reason_and_no_other_waits_for_it(sides: BothSides) -> None:
    product = sides.new_product()
    whole = {"product": product, "revision": 1, "liked": True, "pending": True, "uncounted": True}
    broken: list[dict[str, Any]] = [
        {"_id": f"{product}:b1", **whole, "user": "b1", "revision": "x"},
        {"_id": f"{product}:b2", "pending": True, "uncounted": True},
        {"_id": f"{product}:b3", **whole, "user": "b3", "liked": 1},
        {"_id": "nobody's", **whole, "user": "b4"},
        {"_id": 7, **whole, "user": ["b5"]},
    ]
    Like._get_collection().insert_many(broken)
    sides.like("ann", product)
    sides.settle()
    assert sides.admin_set() == {(product, "ann")}
    assert sides.shop_counts()[product] == 1
    parked = {like["_id"]: like["parked"] for like in Like._get_collection().find({"parked": {"$exists": True}})}
    assert parked.keys() == {like["_id"] for like in broken}
    assert parked[f"{product}:b1"] == "malformed: revision must be a positive integer"


@pytest.mark.parametrize(
    "mood",
    [301, 401, 403, 404, 413, 422, 429, 500, 503, *GARBAGE, "slow", "endless", "reset"],
    ids=lambda mood: ascii(mood[:20]) if isinstance(mood, bytes) else str(mood),
)
def test_invalid_answer_is_an_outage_that_loses_and_parks_nothing(sides: BothSides, mood: Any) -> None:
    product = sides.new_product()
    for user in ("ann", "bob", "cho"):
        sides.like(user, product)
    sides.server.mood = mood
    for _ in range(2):
        with pytest.raises(drain.RetryLaterError):
            sides.forward()
    assert sides.waiting() == (3, 0)
    sides.settle()
    sides.assert_equal({(product, user) for user in ("ann", "bob", "cho")})
    assert breaker.state() is None


def test_admin_down_costs_one_probe_instead_of_a_call_per_like(sides: BothSides) -> None:
    product, start = sides.new_product(), time.monotonic()
    sides.server.mood, sides.server.calls = 500, 0
    for number in range(20):
        sides.like(f"user{number}", product)
        with suppress(drain.RetryLaterError):
            assert drain.drain(sides.gateway) == 0
    shortest = breaker.FIRST_DELAY / 2
    assert 1 <= sides.server.calls <= 1 + (time.monotonic() - start) / shortest


@pytest.mark.parametrize(("value", "least"), [("7", 7), ("Wed, 01 Jan 2098 00:00:00 GMT", 600), ("soon", 0), ("-1", 0)])
def test_retry_after_is_honoured_up_to_a_limit(sides: BothSides, value: str, least: float) -> None:
    sides.like("ann", sides.new_product())
    sides.server.mood, sides.server.headers = 429, {"Retry-After": value}
    with pytest.raises(drain.RetryLaterError) as outage:
        sides.forward()
    assert max(least, 0.5) <= outage.value.delay <= max(least, 1.0)
    noted = breaker.state()
    assert noted
    assert (noted["not_before"] - noted["since"]).total_seconds() == pytest.approx(outage.value.delay, abs=0.01)


def test_batch_that_is_too_large_is_sent_in_smaller_ones(sides: BothSides) -> None:
    product = sides.new_product()
    users = [f"user{number}" for number in range(30)]
    for user in users:
        sides.like(user, product)
    sides.server.mood, sides.server.calls = ("too large", 8), 0
    assert sides.forward() == 30
    assert sides.server.calls <= 2 + 5  # 30 and 15 were refused, then 7 at once
    sides.settle()
    sides.assert_equal({(product, user) for user in users})


def test_slow_answer_ends_at_the_timeout(sides: BothSides) -> None:
    sides.like("ann", sides.new_product())
    sides.server.mood, start = "slow", time.monotonic()
    with pytest.raises(drain.RetryLaterError):
        sides.forward()
    assert time.monotonic() - start < 10  # it never ends


def test_likes_of_a_deleted_product_are_parked_and_other_likes_are_not(sides: BothSides) -> None:
    gone, alive = sides.new_product(), sides.new_product()
    for product in (gone, alive):
        sides.like("ann", product)
    delete_product(gone, ANY_VERSION, "test")
    sides.settle()
    assert sides.document("ann", gone)["parked"] == "the product is deleted"
    assert sides.waiting() == (0, 1)
    assert sides.admin_set() == {(alive, "ann")}


def test_like_of_a_product_that_admin_never_had_is_parked_alone(sides: BothSides) -> None:
    product = sides.new_product()
    sides.like("ann", 999_999)
    sides.like("ann", product)
    sides.settle()
    assert [like["parked"] for like in Like._get_collection().find({"parked": {"$exists": True}})] == [
        "Admin never had the product"
    ]
    assert sides.admin_set() == {(product, "ann")}
