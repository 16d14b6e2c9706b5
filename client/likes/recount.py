"""Compares the products' counts with their likes, and corrects them."""

from collections.abc import Iterator, Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from client.leases import lease
from client.likes import count
from client.likes.documents import Like
from client.replica.documents import ProductCopy
from client.store import bounded_session, was_in_conflict
from contract.service_calls import WrongCount

PAGE = 500  # products at once
CORRECT_SECONDS = 10.0  # Admin's relay waits for the answer to a repair


class BusyError(Exception):
    """Another process was counting; try again."""


def wrong_counts() -> Iterator[list[WrongCount]]:
    """Yield the products whose count is not the number of their counted likes. Raises BusyError."""
    products, after = ProductCopy._get_collection(), 0
    while page := list(products.find({"_id": {"$gt": after}}, {"likes": 1}).sort("_id", 1).limit(PAGE)):
        after = page[-1]["_id"]
        counted = _counted([product["_id"] for product in page])
        suspects = [p["_id"] for p in page if p.get("likes", 0) != counted.get(p["_id"], 0)]
        # Checked again in a snapshot: the count may have changed between the two reads.
        if wrong := [found for suspect in suspects if (found := _in_snapshot(suspect, repair=False))]:
            yield wrong


def inconsistent() -> int:
    """Return how many likes have a ``counted`` that contradicts ``liked``, which only manual edits cause."""
    likes = Like._get_collection()
    return sum(likes.count_documents(where) for where in _INCONSISTENT)


def repair(product_ids: Sequence[int]) -> None:
    """Set these products' counts to the number of their likes, and recount inconsistent likes.

    Under the lease for counting, in a transaction for each product. Raises BusyError.
    """
    for where in _INCONSISTENT:
        Like._get_collection().update_many(where, {"$set": {"uncounted": True}})
    for product_id in product_ids:
        with lease(count.LEASE, count.LEASE_TIME) as mine:
            if not mine:
                raise BusyError("another process is counting likes; run the command again")
            _in_snapshot(product_id, repair=True)
    count.count()


def correct(product_ids: Sequence[int]) -> None:
    """Set the counts of copies that were rewritten to the number of their likes.

    In one transaction, so that likes counted at the same time are neither lost nor counted twice.
    """
    if product_ids:
        with bounded_session(CORRECT_SECONDS) as session:
            session.with_transaction(lambda session: _correct(session, list(product_ids)))


_INCONSISTENT: tuple[dict[str, Any], ...] = (
    {"liked": True, "counted": {"$ne": True}, "uncounted": {"$ne": True}},
    {"liked": False, "counted": True, "uncounted": {"$ne": True}},
)


def _counted(product_ids: list[int], session: ClientSession | None = None) -> dict[int, int]:
    groups = [
        {"$match": {"product": {"$in": product_ids}, "counted": True}},
        {"$group": {"_id": "$product", "likes": {"$sum": 1}}},
    ]
    return {group["_id"]: group["likes"] for group in Like._get_collection().aggregate(groups, session=session)}


def _correct(session: ClientSession, product_ids: list[int]) -> None:
    products, counted = ProductCopy._get_collection(), _counted(product_ids, session)
    shown = products.find({"_id": {"$in": product_ids}}, {"likes": 1}, session=session)
    changes = [
        UpdateOne({"_id": doc["_id"], "likes": doc.get("likes")}, {"$set": {"likes": counted.get(doc["_id"], 0)}})
        for doc in shown
        if doc.get("likes") != counted.get(doc["_id"], 0)
    ]
    if changes:
        products.bulk_write(changes, session=session)


def _in_snapshot(product_id: int, repair: bool) -> WrongCount | None:
    def compare(session: ClientSession) -> WrongCount | None:
        products = ProductCopy._get_collection()
        product = products.find_one({"_id": product_id}, {"likes": 1}, session=session) or {}
        shown, actual = product.get("likes", 0), _counted([product_id], session).get(product_id, 0)
        if shown == actual:
            return None
        if repair:
            products.update_one({"_id": product_id}, {"$set": {"likes": actual}}, session=session)
        return WrongCount(product_id, shown, actual)

    try:
        with bounded_session(count.LEASE_TIME.total_seconds()) as session:
            return session.with_transaction(compare)
    except OperationFailure as error:
        if not was_in_conflict(error):
            raise
        raise BusyError("another process is counting likes; run the command again") from error
