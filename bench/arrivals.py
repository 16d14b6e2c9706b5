"""Waiting for many products to be in the Client's store, at next to no cost for what is being measured."""

from collections.abc import Sequence
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database

from stack.api import eventually

_CHUNK = 100  # ids per question: SecantusDB compares each document with the whole list
_WITHIN = 1_800.0


class Arrivals:
    """Watches the products ``ids``, given in order.

    Nothing is counted: SecantusDB counts by reading everything, which took more of it than what was measured; and so it
    does for a range of ids, so they are named. Each product is looked at about once, and while one is missing, that one
    alone is looked for.
    """

    def __init__(self, shop: Database[dict[str, Any]], ids: Sequence[int]) -> None:
        self._products: Collection[dict[str, Any]] = shop["products"]
        self._ids, self._arrived = ids, 0

    def wait(self) -> None:
        """Return once all of them are there. Raises NotSeenError."""
        eventually(self._all, within=_WITHIN, what=f"{len(self._ids):,} products at the Client")

    def _all(self) -> bool:
        while self._arrived < len(self._ids) and self._held(self._arrived, self._arrived):
            held = self._held(self._arrived, min(self._arrived + _CHUNK, len(self._ids)) - 1)
            while self._arrived < len(self._ids) and self._ids[self._arrived] in held:
                self._arrived += 1
        return self._arrived == len(self._ids)

    def _held(self, first: int, last: int) -> set[int]:
        named = {"_id": {"$in": list(self._ids[first : last + 1])}}
        return {document["_id"] for document in self._products.find(named, {"_id": 1})}
