"""Reading the collected dead letters: newest first, paged by (died_at, id)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from client.dead_letters.documents import STATES, DeadLetter
from contract.messages import format_time
from contract.versions import version_of

_NEWEST_FIRST = [("died_at", -1), ("_id", -1)]
_ID = re.compile(r"[0-9a-f]{1,32}")
_TIMES = ("died_at", "collected_at", "at")


class NotFoundError(Exception):
    """No dead letter has this id, or more than one begins with it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects dead letters: in ``state`` (None: any), with ``reason`` in their reason, about ``product``.

    ``with_products``: only those that name a product.
    """

    state: str | None = None
    reason: str = ""
    product: int | None = None
    with_products: bool = False

    def where(self) -> dict[str, Any]:
        where: dict[str, Any] = {}
        if self.state is not None:
            where["state"] = self.state
        if self.reason:
            where["reason"] = re.compile(re.escape(self.reason), re.IGNORECASE)
        if self.product is not None:
            where["products.id"] = self.product
        if self.with_products:
            where["products"] = {"$ne": []}
        return where


def find(wanted: Filter, limit: int, after: tuple[datetime, str] | None = None) -> list[dict[str, Any]]:
    """Return at most ``limit`` dead letters, without their payloads, that come ``after`` a (died_at, id)."""
    where = wanted.where()
    if after:
        died_at, last = after
        where["$or"] = [{"died_at": {"$lt": died_at}}, {"died_at": died_at, "_id": {"$lt": last}}]
    return list(DeadLetter._get_collection().find(where, {"payload": 0}).sort(_NEWEST_FIRST).limit(limit))


def counts(limit: int) -> dict[str, int]:
    """Return how many dead letters are in each state; counting stops at ``limit``."""
    collection = DeadLetter._get_collection()
    return {state: int(collection.count_documents({"state": state}, limit=limit)) for state in STATES}


def each(wanted: Filter, chunk: int = 100) -> Iterator[dict[str, Any]]:
    """Yield every dead letter that ``wanted`` selects, newest first; those already yielded may change meanwhile."""
    page = find(wanted, chunk)
    while page:
        yield from page
        page = find(wanted, chunk, (page[-1]["died_at"], page[-1]["_id"]))


def get(id_or_prefix: str) -> dict[str, Any]:
    """Return a dead letter by its id or an unambiguous beginning of it. Raises NotFoundError."""
    found: list[dict[str, Any]] = []
    if _ID.fullmatch(id_or_prefix):
        where = {"_id": {"$gte": id_or_prefix, "$lte": id_or_prefix + "g"}}  # g sorts after every hexadecimal digit
        found = list(DeadLetter._get_collection().find(where).limit(2))
    if len(found) == 2 and found[0]["_id"] != id_or_prefix:
        raise NotFoundError(f"more than one dead letter begins with {id_or_prefix}; give more characters of the id")
    if not found:
        raise NotFoundError(f"there is no dead letter {id_or_prefix!r}")
    return found[0]


def by_ids(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the dead letters with these complete ids, without their payloads."""
    return list(DeadLetter._get_collection().find({"_id": {"$in": list(ids)}}, {"payload": 0}))


def show(dead_letter: dict[str, Any]) -> dict[str, Any]:
    """Return ``dead_letter`` for JSON: times as text, versions instead of sequences."""
    fields = {**dead_letter, "id": dead_letter["_id"]}
    shown = {name: fields[name] for name in DeadLetter._fields_ordered if name in fields}
    shown.update({name: format_time(dead_letter[name]) for name in _TIMES})
    shown["products"] = [
        {"id": product["id"], "version": version_of(product["sequence"]) if product["sequence"] else None}
        for product in dead_letter["products"]
    ]
    return shown
