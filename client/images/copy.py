"""Copies wanted images from Admin by digest and verifies them, in the worker. A failed copy is retried with backoff for
as long as a product uses the image."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from client.admin_gateway import AdminGateway, AdminUnavailableError
from client.images import wanted
from client.images.documents import ImageCopy, WantedImage
from client.leases import lease
from web.http.images import digest_of

MAX_SECONDS = 20.0  # per run; a call to Admin may take ten more
LEASE_TIME = timedelta(seconds=40)
FIRST_BACKOFF, MAX_BACKOFF = timedelta(seconds=5), timedelta(minutes=10)
_MAX_DOUBLINGS = 10

log = structlog.get_logger(__name__)


def copy(gateway: AdminGateway) -> None:
    """Fetch the images that are due, until Admin does not answer or MAX_SECONDS passed. One process at a time works.

    Raises pymongo's errors when the store does not answer.
    """
    deadline = time.monotonic() + MAX_SECONDS
    if _next() is None:  # usually; a lease costs two writes
        return
    with lease("images", LEASE_TIME) as mine:
        while mine and time.monotonic() < deadline:
            image = _next()
            if image is None or not _fetch(gateway, image):
                return


def _next() -> dict[str, Any] | None:
    due = {"due_at": {"$lte": datetime.now(UTC)}}
    found: dict[str, Any] | None = WantedImage._get_collection().find_one(due, sort=[("due_at", 1)])
    return found


def _fetch(gateway: AdminGateway, image: dict[str, Any]) -> bool:
    """Fetch one image; return whether Admin answered."""
    digest = image["_id"]
    try:
        content = gateway.image(digest)
    except AdminUnavailableError as outage:
        _retry_later(image, str(outage))
        return False
    if content is None:
        _handle_missing(image)
    elif digest_of(content) != digest:
        _retry_later(image, "the bytes from Admin do not match the digest")
    else:
        _store(digest, content)
    return True


def _store(digest: str, content: bytes) -> None:
    now = datetime.now(UTC)
    document = {"content": content, "checked_at": now, "unused_since": None}
    ImageCopy._get_collection().replace_one({"_id": digest}, document, upsert=True)
    WantedImage._get_collection().delete_one({"_id": digest})
    log.info("image copied", digest=digest, bytes=len(content))


def _handle_missing(image: dict[str, Any]) -> None:
    """Retry an image that Admin does not have while a product uses it, else forget it."""
    if wanted.named([image["_id"]]):
        _retry_later(image, "Admin has no such image")
    else:
        WantedImage._get_collection().delete_one({"_id": image["_id"]})


def _retry_later(image: dict[str, Any], reason: str) -> None:
    backoff = min(FIRST_BACKOFF * 2 ** min(image["tries"], _MAX_DOUBLINGS), MAX_BACKOFF)
    change = {"$set": {"due_at": datetime.now(UTC) + backoff, "reason": reason}, "$inc": {"tries": 1}}
    WantedImage._get_collection().update_one({"_id": image["_id"]}, change)
    log.warning("image not copied", digest=image["_id"], reason=reason, seconds=backoff.total_seconds())
