"""Wait cheaply until many documents of the Client's store match a filter."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.collection import Collection

from tools.stack.api import eventually

_LOOKED_AT = 2_000
_CHUNK = 100  # ids per query: SecantusDB compares each document with the whole list
_WITHIN = 1_800.0


class Arrivals:
    """Watches the documents ``ids``, given in about the order in which they become ``such``, as a filter says it.

    Nothing is counted: SecantusDB counts by reading everything, which took more of it than what was measured; and so it
    does for a range of ids, or for one of many that wait, so they are named. Of many some are looked at, spread over
    all, and the last: about once each, and while one is missing, that one alone is looked for.
    """

    def __init__(
        self, documents: Collection[dict[str, Any]], ids: Sequence[Any], such: Mapping[str, Any] | None = None
    ) -> None:
        self._documents, self._such = documents, such or {}
        step = len(ids) // _LOOKED_AT + 1
        self._ids, self._arrived = ids[::-step][::-1], 0  # from the last one, so that it is included

    def wait(self) -> None:
        """Wait until all match. Raises NotSeenError."""
        eventually(self._all, within=_WITHIN, what="all that were looked for at the Client")

    def _all(self) -> bool:
        while self._arrived < len(self._ids) and self._held(self._arrived, self._arrived):
            held = self._held(self._arrived, min(self._arrived + _CHUNK, len(self._ids)) - 1)
            while self._arrived < len(self._ids) and self._ids[self._arrived] in held:
                self._arrived += 1
        return self._arrived == len(self._ids)

    def _held(self, first: int, last: int) -> set[Any]:
        named = {"_id": {"$in": list(self._ids[first : last + 1])}, **self._such}
        return {document["_id"] for document in self._documents.find(named, {"_id": 1})}
