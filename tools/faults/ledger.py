"""What the services accepted, as whoever called them remembers it: what both stores lost is missing here too.

A call that was not answered may have been carried out, or be so later, or never: a *maybe*. Once there was one, the
store says what became of it, and only what it must not have undone is checked.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from tools.faults.stores import FIELDS, AdminStore, ClientStore, State, Verdict

_COMPARED = FIELDS[:7]  # what a caller sets; the times are the server's


@dataclass
class Entry:
    """The last accepted state of one product (``content`` None: deleted), and how many calls had no answer."""

    version: int
    content: dict[str, Any] | None
    maybes: int = 0


@dataclass
class Ledger:
    """Every accepted write of one run. For several threads."""

    accepted: int = 0
    unanswered: int = 0
    refused: int = 0
    products: dict[int, Entry] = field(default_factory=dict)
    likes: dict[tuple[int, str], bool | None] = field(default_factory=dict)  # None: there was a maybe
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, product_id: int, version: int, content: dict[str, Any] | None) -> None:
        """Note a product's accepted state."""
        with self._lock:
            self.accepted += 1
            before = self.products.get(product_id)
            self.products[product_id] = Entry(version, content, before.maybes if before else 0)

    def accept_like(self, product_id: int, user: str, liked: bool) -> None:
        with self._lock:
            self.accepted += 1
            if self.likes.get((product_id, user), liked) is not None:
                self.likes[product_id, user] = liked

    def maybe(self, product_id: int | None = None) -> None:
        """Note a call that was not answered; a create has no id yet."""
        with self._lock:
            self.unanswered += 1
            if product_id is not None:
                self.products[product_id].maybes += 1

    def maybe_like(self, product_id: int, user: str) -> None:
        with self._lock:
            self.unanswered += 1
            self.likes[product_id, user] = None

    def refuse(self) -> None:
        """Note a call that was answered with a refusal: nothing may have changed."""
        with self._lock:
            self.refused += 1

    def check(self, admin: AdminStore, client: ClientStore) -> Verdict:
        """Return what was accepted and is not there, once nothing is under way."""
        verdict = Verdict()
        held = admin.products()
        for product_id, entry in self.products.items():
            if problem := _problem(entry, held.get(product_id)):
                verdict.lost.append(f"accepted, but not at Admin: product {product_id}: {problem}")
        likes = client.likes()
        for key, liked in self.likes.items():
            if liked is not None and likes.get(key, False) != liked:
                verdict.lost.append(f"accepted, but not at the Client: like {key}: {liked}")
        return verdict


def _problem(entry: Entry, held: State | None) -> str | None:
    if held is None:
        return "is not there"
    if not entry.version <= held.version <= entry.version + entry.maybes:
        return f"version {entry.version} and {entry.maybes} maybes were accepted, {held.version} is held"
    if held.version > entry.version and entry.content is not None:
        return None  # a maybe was carried out: what it wrote is compared between the stores
    expected = None if entry.content is None else tuple(str(entry.content[name]) for name in _COMPARED)
    found = None if held.content is None else held.content[: len(_COMPARED)]
    return None if expected == found else f"{expected} was accepted, {found} is held"
