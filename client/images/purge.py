"""Removes copied images that no product has used for a week, in chunks."""

from datetime import UTC, datetime, timedelta

import structlog

from client.images.documents import ImageCopy
from client.images.wanted import named

CHUNK = 200
CHECK_EVERY = timedelta(days=1)  # for each image
RETENTION = timedelta(days=7)

log = structlog.get_logger(__name__)


def purge() -> int:
    """Check the images whose last check is oldest; return how many, fewer than CHUNK at the end."""
    images, now = ImageCopy._get_collection(), datetime.now(UTC)
    due = (
        images.find({"checked_at": {"$lt": now - CHECK_EVERY}}, {"unused_since": 1}).sort("checked_at", 1).limit(CHUNK)
    )
    since = {image["_id"]: image["unused_since"] for image in due}
    if not since:
        return 0
    used = named(since)
    old = [digest for digest, moment in since.items() if digest not in used and moment and moment < now - RETENTION]
    fresh = [digest for digest, moment in since.items() if digest not in used and not moment]
    images.update_many({"_id": {"$in": list(since)}}, {"$set": {"checked_at": now}})
    images.update_many({"_id": {"$in": list(used)}}, {"$set": {"unused_since": None}})
    images.update_many({"_id": {"$in": fresh}}, {"$set": {"unused_since": now}})
    if old:
        images.delete_many({"_id": {"$in": old}})
        log.info("unused images removed", images=len(old))
    return len(since)
