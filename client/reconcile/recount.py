"""Counts of likes made from the like set: for documents that were not there when their likes were counted (L3)."""

from collections.abc import Sequence

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from client.extensions import bounded_session
from client.likes.documents import Like

SECONDS = 10.0  # Admin's relay waits for the answer


def recount(copy: Collection, product_ids: Sequence[int]) -> None:
    """Set ``likes`` of these documents of ``copy`` to the number of likes that are counted.

    In one transaction, so that likes counted meanwhile are neither lost nor counted twice.
    """
    if product_ids:
        with bounded_session(SECONDS) as session:
            session.with_transaction(lambda s: _correct(s, copy, product_ids))


def _correct(session: ClientSession, copy: Collection, product_ids: Sequence[int]) -> None:
    counted = {"product": {"$in": list(product_ids)}, "counted": True}
    grouped = [{"$match": counted}, {"$group": {"_id": "$product", "likes": {"$sum": 1}}}]
    likes = {row["_id"]: row["likes"] for row in Like._get_collection().aggregate(grouped, session=session)}
    shown = copy.find({"_id": {"$in": list(product_ids)}}, {"likes": 1}, session=session)
    wrong = [doc for doc in shown if doc.get("likes") != likes.get(doc["_id"], 0)]
    if wrong:
        changes = [
            UpdateOne({"_id": doc["_id"], "likes": doc.get("likes")}, {"$set": {"likes": likes.get(doc["_id"], 0)}})
            for doc in wrong
        ]
        copy.bulk_write(changes, session=session)
