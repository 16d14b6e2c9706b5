"""The cause of a message, in the headers of its task and in the logs."""

from typing import Any

import pytest

from contract import causation
from contract.causation import Cause
from contract.messages import LikeChanged, ProductChanged
from contract.versions import compose


class Lines:
    """A log that records its lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})


def caused(number: int, request_id: str | None) -> ProductChanged:
    return ProductChanged(number, compose(1, 3), None, Cause(request_id))


def test_header_is_read_as_it_was_written() -> None:
    one, other = Cause("a" * 32, "00-trace-span-01"), Cause("b.b")
    header = causation.header([(1, one), (2, other), (3, one), (4, Cause())])
    assert len(header[causation.HEADER]) == 2
    assert causation.of_task(header) == {1: one, 3: one, 2: other}


def test_message_without_the_header_has_no_known_cause() -> None:
    assert causation.of_task({}) == {}
    assert causation.header([(1, Cause())]) == {}


@pytest.mark.parametrize(
    "header", [None, "x", 5, [5], [["a", "b"]], [["a", "b", "c"]], [["a", 1, [1]]], [["a", "b", ["1", None]]], {"a": 1}]
)
def test_malformed_header_names_no_cause(header: Any) -> None:
    assert causation.of_task({causation.HEADER: header}) == {}


def test_invalid_request_id_in_the_header_is_ignored() -> None:
    assert causation.of_task({causation.HEADER: [["a\nb", "", [1]], ["x" * 65, "", [2]]]}) == {1: Cause(), 2: Cause()}


def test_log_line_names_the_request_ids() -> None:
    log = Lines()
    causation.log_items(log, "sent", [caused(1, "a"), caused(2, "a")])
    causation.log_items(log, "sent", [caused(1, "b"), caused(2, "a")], lane="bulk")
    causation.log_items(log, "sent", [caused(1, None)])
    assert log.lines == [
        {"event": "sent", "items": ["1@v3 deleted", "2@v3 deleted"], "request_id": "a"},
        {"event": "sent", "items": ["1@v3 deleted", "2@v3 deleted"], "request_ids": ["a", "b"], "lane": "bulk"},
        {"event": "sent", "items": ["1@v3 deleted"]},
    ]


def test_many_items_are_logged_in_several_lines() -> None:
    log = Lines()
    causation.log_items(log, "sent", [caused(n, "a") for n in range(1, 451)])
    assert [len(line["items"]) for line in log.lines] == [200, 200, 50]


def test_like_carries_its_request_id_and_is_the_same_without() -> None:
    like = LikeChanged(1, "ann", 2, True, Cause("r-1"))
    decoded = LikeChanged.decode(like.encode())
    assert decoded.cause == Cause("r-1")
    assert decoded == LikeChanged(1, "ann", 2, True)
    assert LikeChanged.decode({**like.encode(), "request_id": 5}).cause == Cause()
