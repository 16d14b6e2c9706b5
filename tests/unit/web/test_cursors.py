"""Cursors: positions reach queries, so only text and whole numbers are accepted, even where signed."""

from typing import Any

import pytest
from flask import Flask

from web.http import cursors


@pytest.fixture
def app() -> Flask:
    app = Flask("test")
    app.config["SECRET_KEY"] = "k" * 32
    return app


def test_position_comes_back_as_it_was_given(app: Flask) -> None:
    with app.app_context():
        assert cursors.decode(cursors.encode("-price", ["12.50", 42]), "-price") == ["12.50", 42]


@pytest.mark.parametrize(
    "position", [[{"$gt": ""}, 1], ["a", {"$ne": None}], [["a"], 1], [None, 1], {"$gt": ""}, [1.5]]
)
def test_signed_position_of_another_type_is_refused(app: Flask, position: Any) -> None:
    with app.app_context(), pytest.raises(cursors.BadCursorError):
        cursors.decode(cursors.encode("-price", position), "-price")
