"""Reads live products from the most liked downwards, by ranges of counts that grow until enough are found.

Products of one small count, such as 0, may be nearly all there are: these are read by ranges of ids.
"""

from collections.abc import Iterator
from typing import Any

from pymongo.collection import Collection

from client.replica.content import FIELDS
from client.replica.newest import GROWTH, read_newest, whole_id

Documents = list[dict[str, Any]]

MOST, LEAST = (1 << 63) - 1, -(1 << 63)  # of the store's integers
SMALL = 4  # likes; up to here each count is read by itself

_highest = SMALL  # count read by this process, only a hint: a wrong one costs time, and no product


def read_most_liked(
    products: Collection, where: dict[str, Any], position: tuple[int, int] | None, limit: int
) -> Documents:
    """Return up to ``limit`` documents that have the values in ``where``, those with the most likes first.

    ``position``: likes and id, read only what follows them. An index on the fields of ``where``, then ``likes`` and
    ``_id``, must exist.
    """
    global _highest
    found = _of_one_count(products, where, *position, limit) if position else []
    for lower, upper in _ranges(position[0] - 1 if position else MOST):
        if len(found) >= limit:
            break
        if 0 <= upper <= SMALL:
            found += _of_one_count(products, where, upper, None, limit - len(found))
        else:
            found += _between(products, where, lower, upper, limit - len(found))
    if position is None and found and "category" not in where:
        _highest = found[0]["likes"]
    return found


def _ranges(upper: int) -> Iterator[tuple[int, int]]:
    """Yield ranges without the first and with the second number, from ``upper`` down to the lowest number."""
    middle, span = min(upper, _highest), 1
    while upper > SMALL:
        lower = max(SMALL, middle - span)
        yield lower, upper
        upper, middle, span = lower, lower, span * GROWTH
    while upper >= 0:
        yield upper - 1, upper
        upper -= 1
    yield LEAST, upper


def _of_one_count(products: Collection, where: dict[str, Any], likes: int, below: int | None, limit: int) -> Documents:
    found: Documents = []
    while len(found) < limit:
        some = read_newest(products, where | {"likes": likes}, below, limit)
        found += _well_formed(some)
        if len(some) < limit:
            break
        below = whole_id(some[-1])
    return found[:limit]


def _between(products: Collection, where: dict[str, Any], lower: int, upper: int, limit: int) -> Documents:
    # No condition may be added: with one more operator, the embedded store would read all live products.
    query = where | {"likes": {"$gt": lower, "$lte": upper}}
    read = limit
    while True:
        some = list(products.find(query, FIELDS).sort([("likes", -1), ("_id", -1)]).limit(read))
        found = _well_formed(some)
        if len(found) >= limit or len(some) < read:
            return found[:limit]
        read *= 2  # malformed copies took the place of others


def _well_formed(documents: Documents) -> Documents:
    """Leave out what has no place in the order: a list of counts, or a fraction, from a manual edit."""
    return [document for document in documents if type(document["likes"]) is int and type(document["_id"]) is int]
