"""What a grid's URL selects, and the notice about delays."""

from datetime import timedelta

import pytest
from flask import Flask

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
def test_invalid_parameters_of_a_url_are_ignored(url: str, wanted: Wanted) -> None:
    with Flask("shop").test_request_context(url):
        assert Wanted.from_request() == wanted


def test_query_string_contains_only_values_that_differ_from_the_defaults() -> None:
    assert Wanted().query() == ""
    assert Wanted(q="a&b", category="Kitchen", pages=4).query(category="") == "?q=a%26b"
    assert Wanted(sort="-likes").query(cursor="c", pages=2) == "?sort=-likes&cursor=c&pages=2"


def test_the_notice_names_what_is_late_and_for_how_long() -> None:
    assert Delays(None, None).notice == ""
    assert Delays(timedelta(seconds=20), None).notice == "New products and prices may arrive late."
    assert "the last update was 7 minutes ago." in Delays(timedelta(minutes=7), None).notice
    assert "the last update was 3 hours ago." in Delays(timedelta(hours=3, minutes=20), None).notice
    assert Delays(None, timedelta(seconds=1)).notice == "Likes are counted immediately and forwarded later."
