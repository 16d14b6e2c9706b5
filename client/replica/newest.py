"""Reads live products from the newest downwards, by ranges of ids that grow until enough are found.

Admin assigns ids in the order of creation. The id is unique and has few gaps, so a range of ids holds a known number of
products, which a range of times does not: an import creates thousands in one millisecond. Each range is bounded on both
sides: the embedded store uses an index only for those, and MongoDB reads them as well as an open list.
"""

import math
from typing import Any

from bson import Decimal128
from pymongo.collection import Collection

from client.replica.content import FIELDS
from contract.digests import MAX_ID

GROWTH = 8  # from one range to the next: few round trips where a category is rare, few products read in vain
_SPARE = 24  # ids beside those wanted: deleted products, and ids that were never used

_highest = 0  # id read by this process, only a hint: a wrong one costs round trips, and no product


def read_newest(
    products: Collection, where: dict[str, Any], below: int | None, limit: int, fields: dict[str, int] = FIELDS
) -> list[dict[str, Any]]:
    """Return up to ``limit`` documents that have the values in ``where``, the highest ids first.

    ``below``: an id, read only those below it. An index on the fields of ``where`` and then ``_id`` must exist.
    """
    upper, middle = (MAX_ID, _estimate(products)) if below is None else (below - 1, below - 1)
    found: list[dict[str, Any]] = []
    span = limit + _SPARE
    while upper > 0 and len(found) < limit:
        lower = max(0, min(middle, upper) - span)
        # No condition may be added: with one more operator, the embedded store would read all live products.
        ids = {"_id": {"$gt": lower, "$lte": upper}}
        found += products.find(where | ids, fields).sort("_id", -1).limit(limit - len(found))
        upper, span = lower, span * GROWTH
    if below is None and found and len(where) == 1:  # of all live products
        _remember(whole_id(found[0]))
    return found


def _estimate(products: Collection) -> int:
    """Return about which id is the highest: there are rarely many more ids than documents, tombstones included."""
    return _highest or products.estimated_document_count()


def _remember(highest: int) -> None:
    global _highest
    _highest = highest


def whole_id(document: dict[str, Any]) -> int:
    """Return the id of ``document``, rounded up: a fraction, which was inserted by hand, must not be read twice."""
    value = document["_id"]
    return math.ceil(value.to_decimal() if isinstance(value, Decimal128) else value)
