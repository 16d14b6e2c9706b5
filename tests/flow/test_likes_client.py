"""Storing, counting and applying outcomes of likes on a MongoDB-wire server, with repeated and late calls."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from client.config import ClientSettings
from client.leases import lease
from client.likes import apply_outcomes, breaker, count, drain, service
from client.likes.documents import Like
from client.replica import apply
from client.replica.documents import ProductCopy
from client.store import database
from contract.messages import LikeChanged, ProductChanged, ProductContent
from contract.service_calls import LikeOutcome
from tests.flow.stores import CONTENT, TIMES

HOLD = timedelta(seconds=5)


@pytest.fixture(autouse=True)
def _products(client_store: ClientSettings) -> None:  # noqa: ARG001 - it is emptied first
    apply.apply([ProductChanged(p, 1, ProductContent(**CONTENT, **TIMES)) for p in (1, 2)])


def like(user: str, liked: bool = True, product: int = 1) -> bool:
    """Return whether the like changed."""
    return bool(service._toggle(product, user, liked))


def document(user: str) -> dict[str, Any]:
    found: dict[str, Any] = Like._get_collection().find_one({"_id": f"1:{user}"})
    return found


def shown(product: int = 1) -> int:
    found: int = ProductCopy._get_collection().find_one({"_id": product})["likes"]
    return found


def test_like_unlike_like_again_is_one_state() -> None:
    assert [like("ann"), like("ann"), like("ann", False), like("ann", False), like("ann")] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert (document("ann")["liked"], document("ann")["revision"]) == (True, 3)


@pytest.mark.parametrize("counted_between", [True, False])
def test_answer_counts_the_shoppers_own_click(monkeypatch: pytest.MonkeyPatch, counted_between: bool) -> None:
    monkeypatch.setattr(service, "announcer", Silent)
    like("bob")
    count.count()
    answers = []
    for liked in (True, True, False, False, True):
        answers.append(service.set_like(1, "ann", liked))
        if counted_between:
            count.count()
    assert answers == [2, 2, 1, 1, 2]


class Silent:
    """Announces no likes."""

    def offer(self, _product: int) -> None: ...


def test_unlike_without_a_like_changes_nothing() -> None:
    assert like("ann", False) is False
    assert document("ann") is None


def test_double_click_from_many_tabs_counts_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: like("ann"), range(16))) == 1
    count.count()
    assert (shown(), document("ann")["revision"]) == (1, 1)


def test_count_equals_the_number_of_likes_while_shoppers_toggle() -> None:
    users = [f"user{n}" for n in range(30)]

    def toggle(user: str) -> None:
        for liked in (True, False, True):
            like(user, liked)
        if user.endswith("7"):
            like(user, False)

    with ThreadPoolExecutor(4) as pool:
        done = pool.map(toggle, users)
        for _ in range(5):
            count.count()
        list(done)
    count.count()
    assert shown() == Like._get_collection().count_documents({"product": 1, "liked": True}) == 27


def test_two_counts_at_once_count_once() -> None:
    for number in range(20):
        like(f"user{number}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: count.count(), range(4)))
    count.count()
    assert shown() == 20


def test_lease_has_one_owner_and_is_released() -> None:
    with lease("test", HOLD) as first, lease("test", HOLD) as second:
        assert (first, second) == (True, False)
    with lease("test", HOLD) as again:
        assert again is True


def test_lease_of_a_crashed_process_expires() -> None:
    holder = lease("test", timedelta(milliseconds=200))
    assert holder.__enter__() is True
    time.sleep(0.3)
    with lease("test", HOLD) as mine:
        assert mine is True


def test_confirmed_like_is_not_pending_but_a_newer_revision_is() -> None:
    like("ann")
    sent = drain._pending(10)
    like("ann", False)
    apply_outcomes.apply(sent, [LikeOutcome("applied", 1, True, "")])
    assert document("ann")["pending"] is True
    apply_outcomes.apply([LikeChanged(1, "ann", 2, False)], [LikeOutcome("applied", 2, False, "")])
    assert "pending" not in document("ann")


def test_refused_like_is_parked_with_its_reason_until_it_changes() -> None:
    like("ann")
    apply_outcomes.apply(drain._pending(10), [LikeOutcome("gone", 0, False, "")])
    assert (document("ann")["parked"], "pending" in document("ann")) == ("the product is deleted", False)
    like("ann", False)
    assert "parked" not in document("ann")
    assert document("ann")["pending"] is True


def test_like_of_which_admin_has_a_newer_state_gets_a_higher_revision() -> None:
    """As after this store was restored from a backup."""
    like("ann")
    apply_outcomes.apply(drain._pending(10), [LikeOutcome("superseded", 9, False, "")])
    assert [(sent.revision, sent.liked) for sent in drain._pending(10)] == [(10, True)]


def test_superseded_like_with_the_same_state_is_not_pending() -> None:
    like("ann")
    apply_outcomes.apply(drain._pending(10), [LikeOutcome("superseded", 9, True, "")])
    assert drain._pending(10) == []


def test_breaker_opens_with_backoff_and_honours_retry_after() -> None:
    assert breaker.may_call()
    delays = [breaker.failed(None) for _ in range(4)]
    assert delays[3] > delays[0]
    assert not breaker.may_call()
    assert breaker.failed(120.0) >= 120
    breaker.succeeded()
    assert breaker.may_call()
    assert database()["breakers"].count_documents({}) == 0
