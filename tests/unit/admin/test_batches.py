"""Batches of what is sent to the Client: bounded in number and in size."""

from admin.outbox.batches import batches


def split(*items: str) -> list[list[str]]:
    return list(batches(items, max_items=3, max_size=10, size_of=len))


def test_batch_ends_at_the_most_items() -> None:
    assert split("a", "b", "c", "d") == [["a", "b", "c"], ["d"]]


def test_batch_ends_before_the_size_is_exceeded() -> None:
    assert split("12345", "12345", "1") == [["12345", "12345"], ["1"]]


def test_item_that_is_too_large_is_a_batch_of_its_own() -> None:
    assert split("a", "x" * 11, "b") == [["a"], ["x" * 11], ["b"]]


def test_nothing_makes_no_batch() -> None:
    assert split() == []
