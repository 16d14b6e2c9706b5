"""The callers' record of accepted writes, which shows writes that both stores lost.

An unanswered call may have been carried out or not. After one, the check accepts both results, but no lost write.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from tools.faults.stores import FIELDS, AdminStore, ClientStore, State, Verdict

_COMPARED = FIELDS[:7]  # the fields that callers set; the server sets the times


@dataclass
class Entry:
    """The last accepted state of one product (``content`` None: deleted), and the number of unanswered calls."""

    version: int
    content: dict[str, Any] | None
    unanswered_calls: int = 0


@dataclass
class Ledger:
    """Every accepted write of one run. Thread-safe."""

    accepted: int = 0
    unanswered: int = 0
    refused: int = 0
    products: dict[int, Entry] = field(default_factory=dict)
    likes: dict[tuple[int, str], bool | None] = field(default_factory=dict)  # None: after an unanswered call
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, product_id: int, version: int, content: dict[str, Any] | None) -> None:
        """Record a product's accepted state."""
        with self._lock:
            self.accepted += 1
            before = self.products.get(product_id)
            self.products[product_id] = Entry(version, content, before.unanswered_calls if before else 0)

    def accept_like(self, product_id: int, user: str, liked: bool) -> None:
        with self._lock:
            self.accepted += 1
            if self.likes.get((product_id, user), liked) is not None:
                self.likes[product_id, user] = liked

    def record_unanswered(self, product_id: int | None = None) -> None:
        """Record an unanswered call; a create has no id yet."""
        with self._lock:
            self.unanswered += 1
            if product_id is not None:
                self.products[product_id].unanswered_calls += 1

    def record_unanswered_like(self, product_id: int, user: str) -> None:
        with self._lock:
            self.unanswered += 1
            self.likes[product_id, user] = None

    def refuse(self) -> None:
        """Record a refused call, which must have changed nothing."""
        with self._lock:
            self.refused += 1

    def check(self, admin: AdminStore, client: ClientStore) -> Verdict:
        """Return the accepted writes that are missing, once the system has settled."""
        verdict = Verdict()
        stored = admin.products()
        for product_id, entry in self.products.items():
            if problem := _problem(entry, stored.get(product_id)):
                verdict.lost.append(f"accepted, but not at Admin: product {product_id}: {problem}")
        likes = client.likes()
        for key, liked in self.likes.items():
            if liked is not None and likes.get(key, False) != liked:
                verdict.lost.append(f"accepted, but not at the Client: like {key}: {liked}")
        return verdict


def _problem(entry: Entry, stored: State | None) -> str | None:
    if stored is None:
        return "missing"
    if not entry.version <= stored.version <= entry.version + entry.unanswered_calls:
        unanswered = entry.unanswered_calls
        return f"version {entry.version} and {unanswered} unanswered calls, but version {stored.version} is stored"
    if stored.version > entry.version and entry.content is not None:
        return None  # an unanswered call was carried out; its content is compared between the stores
    expected = None if entry.content is None else tuple(str(entry.content[name]) for name in _COMPARED)
    found = None if stored.content is None else stored.content[: len(_COMPARED)]
    return None if expected == found else f"{expected} was accepted, {found} is stored"
