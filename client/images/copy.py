"""Image step 3: the worker fetches what is wanted from Admin, by digest, and verifies it. What fails is tried again,
later and later, for as long as a product names it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from client.admin_gateway import AdminGateway, AdminUnavailableError
from client.images import wanted
from client.images.documents import ImageCopy, WantedImage
from client.leases import lease
from web.http.images import digest_of

LONGEST = 20.0  # seconds per run; a call to Admin may take ten more
LEASE_TIME = timedelta(seconds=40)
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=5), timedelta(minutes=10)
_MOST_DOUBLINGS = 10

log = structlog.get_logger(__name__)


def copy(gateway: AdminGateway) -> None:
    """Fetch what is due, until Admin does not answer or time is up. Any number may run: one works.

    Raises pymongo's errors when the store does not answer.
    """
    deadline = time.monotonic() + LONGEST
    if _next() is None:  # as mostly: not worth a lease, which is two writes
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
    """Fetch one image; return whether Admin answers, so that the next one is worth a try."""
    digest = image["_id"]
    try:
        content = gateway.image(digest)
    except AdminUnavailableError as outage:
        _put_off(image, str(outage))
        return False
    if content is None:
        _missing(image)
    elif digest_of(content) != digest:
        _put_off(image, "Admin's bytes are not what the digest says")
    else:
        _store(digest, content)
    return True


def _store(digest: str, content: bytes) -> None:
    now = datetime.now(UTC)
    document = {"content": content, "checked_at": now, "unused_since": None}
    ImageCopy._get_collection().replace_one({"_id": digest}, document, upsert=True)
    WantedImage._get_collection().delete_one({"_id": digest})
    log.info("image copied", digest=digest, bytes=len(content))


def _missing(image: dict[str, Any]) -> None:
    """Admin has none: no product may name it any more, or Admin lost it."""
    if wanted.named([image["_id"]]):
        _put_off(image, "Admin has no such image")
    else:
        WantedImage._get_collection().delete_one({"_id": image["_id"]})


def _put_off(image: dict[str, Any], reason: str) -> None:
    backoff = min(FIRST_BACKOFF * 2 ** min(image["tries"], _MOST_DOUBLINGS), LONGEST_BACKOFF)
    change = {"$set": {"due_at": datetime.now(UTC) + backoff, "reason": reason}, "$inc": {"tries": 1}}
    WantedImage._get_collection().update_one({"_id": image["_id"]}, change)
    log.warning("image waits", digest=image["_id"], reason=reason, seconds=backoff.total_seconds())
