"""A fresh copy beside the live one, filled by Admin page by page, then put in its place at one stroke.

A crash anywhere leaves the live copy as it was; the next rebuild starts over.
"""

from collections.abc import Sequence

import structlog

from client.migrations import index_products
from client.products import replicate
from client.products.documents import ProductCopy
from client.reconcile import fresh_copy
from client.reconcile.recount import recount
from tasks.messages import ProductChanged

log = structlog.get_logger(__name__)

RECOUNTED = 500  # products per call and transaction


def begin() -> str | None:
    """Start an empty copy with the live one's indexes; return its token, None while another rebuild is under way."""
    token = fresh_copy.claim()
    if token:
        fresh_copy.collection().drop()
        index_products(fresh_copy.collection())
        log.info("rebuild begun")
    return token


def fill(token: str, messages: Sequence[ProductChanged]) -> bool:
    """Write a page of states into the fresh copy; return whether it is still the caller's."""
    if not fresh_copy.renew(token):
        return False
    replicate.write(fresh_copy.collection(), messages)
    return True


def count_likes(token: str, after: int) -> tuple[bool, int | None]:
    """Make the counts of the next products after the id ``after`` right, in the copy that was filled.

    Return whether it is still the caller's, and the last of these ids, None after the last of all.
    """
    if not fresh_copy.renew(token):
        return False, None
    copy = ProductCopy._get_collection() if fresh_copy.was_swapped(token) else fresh_copy.collection()
    found = copy.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", 1).limit(RECOUNTED)
    ids = [document["_id"] for document in found]
    recount(copy, ids)
    return True, ids[-1] if ids else None


def swap(token: str) -> bool:
    """Put the fresh copy in the live one's place; return whether it was still the caller's. Repeating is harmless.

    MongoDB renames without copying, readers meet the one or the other. What A5 was about to write to the fresh
    copy then lands in a new collection of its name, which ``end`` removes.
    """
    if not fresh_copy.renew(token):
        return False
    if not fresh_copy.was_swapped(token):
        fresh_copy.collection().rename(ProductCopy._get_collection().name, dropTarget=True)
        fresh_copy.note_swapped(token)
        log.info("rebuilt copy is live")
    return True


def end(token: str) -> bool:
    """Remove what is left of the rebuild, all of the fresh copy unless it went live; return whether it was the
    caller's.
    """
    if not fresh_copy.release(token):
        return False
    fresh_copy.collection().drop()
    return True
