"""The likes. Each document is its own outbox: ``pending`` and ``uncounted`` exist only while they are true."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from mongoengine import BooleanField, DateTimeField, Document, IntField, LongField, StringField
from pymongo import UpdateOne

from client.store import bulk_write
from contract import causation
from contract.messages import LIKE_CHANGED, InvalidMessageError, LikeChanged

log = structlog.get_logger(__name__)


class Like(Document):
    """One shopper's state towards one product; ``_id`` is ``product:user``."""

    meta = {"collection": "likes", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)
    product = IntField(required=True)
    user = StringField(required=True)
    liked = BooleanField(required=True)
    revision = LongField(required=True)  # counts the changes, from 1
    at = DateTimeField(required=True)
    pending = BooleanField()  # Admin has not confirmed this revision …
    since = DateTimeField()  # … since this time
    restored = BooleanField()  # pending because a database was restored, not because it changed; cleared by a change
    uncounted = BooleanField()  # the product's count does not include this state
    counted = BooleanField()  # the state that the count includes
    request_id = StringField()  # of the change, for the logs; removed with ``pending``
    parked = StringField()  # why Admin refused this revision; cleared by the next change


def like_id(product_id: int, user: str) -> str:
    return f"{product_id}:{user}"


def read(document: dict[str, Any]) -> LikeChanged | None:
    """Return the like in ``document``. Park a malformed one with the reason and return None, so that the others are
    processed.
    """
    try:
        like = LikeChanged.decode({**document, "type": LIKE_CHANGED})
        if document["_id"] == like_id(like.product, like.user):
            return like
        reason = "its id does not match product and user"
    except InvalidMessageError as error:
        reason = error.reason
    log.warning("malformed like parked", like=str(document["_id"]), reason=reason)
    parked = {"$set": {"parked": f"malformed: {reason}"}, "$unset": {**PENDING_FIELDS, "uncounted": ""}}
    Like._get_collection().update_one({"_id": document["_id"]}, parked)
    return None


def changed(liked: bool, now: datetime) -> dict[str, dict[str, Any]]:
    """Return the update that changes a like: a higher revision, uncounted and pending."""
    return {
        "$set": {
            "liked": liked,
            "at": now,
            "pending": True,
            "uncounted": True,
            "request_id": causation.current().request_id,
        },
        "$min": {"since": now},
        "$unset": {"parked": "", "restored": ""},
        "$inc": {"revision": 1},
    }


PENDING_FIELDS = {"pending": "", "since": "", "restored": "", "request_id": ""}  # removed once Admin answered


def adopted(revision: int, liked: bool, at: datetime | None) -> dict[str, dict[str, Any]]:
    """Return the update that overwrites a like with Admin's state, uncounted."""
    when = {"at": at} if at else {}
    return {
        "$set": {"revision": revision, "liked": liked, "uncounted": True, **when},
        "$unset": {**PENDING_FIELDS, "parked": ""},
    }


def pending_again(now: datetime) -> dict[str, dict[str, Any]]:
    """Return the update that makes a like pending again."""
    return {"$set": {"pending": True}, "$min": {"since": now}, "$unset": {"parked": ""}}


def update_each(ids: Iterable[str], where: dict[str, Any], change: dict[str, Any]) -> int:
    """Apply ``change`` to those of ``ids`` that match ``where``; return how many changed.

    One write per like: SecantusDB's multi-update waits for a count's transaction while it owns the lock that the
    transaction waits for.
    """
    writes = [UpdateOne({"_id": id_, **where}, change) for id_ in ids]
    if not writes:
        return 0
    return int(bulk_write(Like._get_collection(), writes).modified_count)
