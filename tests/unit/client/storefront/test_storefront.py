"""What a grid's URL asks for, what visitors share for a moment, and what the shop calls late."""

import threading
from datetime import timedelta

import pytest
from flask import Flask

from client.storefront.cached import Shared
from client.storefront.delays import Delays
from client.storefront.product_grid import MOST_PAGES, Wanted


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("/", Wanted()),
        ("/?q=+lamp+&sort=-likes&pages=3", Wanted(q="lamp", sort="-likes", pages=3)),
        ("/?sort=price;drop&pages=-1&cursor=&utm_source=x", Wanted()),
        ("/?pages=many", Wanted()),
        ("/?pages=999999999999999999999", Wanted(pages=MOST_PAGES)),
        (f"/?q={'x' * 5000}", Wanted(q="x" * 100)),
    ],
)
def test_what_a_url_says_wrongly_counts_as_not_said(url: str, wanted: Wanted) -> None:
    with Flask("shop").test_request_context(url):
        assert Wanted.from_request() == wanted


def test_a_query_says_only_what_is_not_usual() -> None:
    assert Wanted().query() == ""
    assert Wanted(q="a&b", category="Kitchen", pages=4).query(category="") == "?q=a%26b"
    assert Wanted(sort="-likes").query(cursor="c", pages=2) == "?sort=-likes&cursor=c&pages=2"


def test_many_visitors_cost_as_little_as_one() -> None:
    made: list[int] = []
    shared = Shared(lambda: made.append(1) or len(made), seconds=60)
    threads = [threading.Thread(target=shared.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.get() == len(made) == 1


def test_while_it_is_made_anew_others_take_the_old_one() -> None:
    begun, go_on = threading.Event(), threading.Event()
    values = iter(["old", "new"])

    def make() -> str:
        value = next(values)
        if value == "new":
            begun.set()
            go_on.wait(10)
        return value

    shared = Shared(make, seconds=0)
    shared.get()
    renewing = threading.Thread(target=lambda: _until(shared, "new"))
    renewing.start()
    assert begun.wait(10)
    assert shared.get() == "old"
    go_on.set()
    renewing.join()
    assert not renewing.is_alive()


def _until(shared: Shared[str], value: str) -> None:
    while shared.get() != value:
        pass


def test_a_failure_is_not_remembered() -> None:
    outcomes = iter([OSError("down"), "up"])

    def make() -> object:
        outcome = next(outcomes)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    shared = Shared(make, seconds=60)
    with pytest.raises(OSError, match="down"):
        shared.get()
    assert shared.get() == "up"


def test_the_notice_names_what_is_late_and_for_how_long() -> None:
    assert Delays(None, None).notice == ""
    assert Delays(timedelta(seconds=20), None).notice == "New products and prices may arrive late."
    assert "no news for 7 minutes." in Delays(timedelta(minutes=7), None).notice
    assert "no news for 3 hours." in Delays(timedelta(hours=3, minutes=20), None).notice
    assert Delays(None, timedelta(seconds=1)).notice == "Likes count here at once and are passed on later."
