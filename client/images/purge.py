"""Image step 4, the Client's half: copies that no product has named for a week are removed, in chunks."""

from datetime import UTC, datetime, timedelta

import structlog

from client.images.documents import ImageCopy
from client.images.wanted import named

CHUNK = 200
LOOK_EVERY = timedelta(days=1)  # at each image
KEEP_UNUSED = timedelta(days=7)

log = structlog.get_logger(__name__)


def purge() -> int:
    """Look at the images that were not looked at for longest; return how many, fewer than CHUNK when none is left."""
    images, now = ImageCopy._get_collection(), datetime.now(UTC)
    due = images.find({"checked_at": {"$lt": now - LOOK_EVERY}}, {"unused_since": 1}).sort("checked_at", 1).limit(CHUNK)
    since = {image["_id"]: image["unused_since"] for image in due}
    if not since:
        return 0
    used = named(since)
    old = [digest for digest, moment in since.items() if digest not in used and moment and moment < now - KEEP_UNUSED]
    fresh = [digest for digest, moment in since.items() if digest not in used and not moment]
    images.update_many({"_id": {"$in": list(since)}}, {"$set": {"checked_at": now}})
    images.update_many({"_id": {"$in": list(used)}}, {"$set": {"unused_since": None}})
    images.update_many({"_id": {"$in": fresh}}, {"$set": {"unused_since": now}})
    if old:
        images.delete_many({"_id": {"$in": old}})
        log.info("images removed: no product names them", images=len(old))
    return len(since)
