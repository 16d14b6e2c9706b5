"""Records which images products use and the Client has not copied. Products never wait for images."""

from collections.abc import Iterable
from datetime import UTC, datetime

from pymongo import UpdateOne

from client.images.documents import ImageCopy, WantedImage
from client.replica.documents import ProductCopy
from client.store import bulk_write, by_ids
from contract.messages import ProductChanged
from web.http.images import digest_in, url_of


def record(messages: Iterable[ProductChanged]) -> bool:
    """Record the images in ``messages`` that are not copied yet; return whether there were any."""
    named = {digest_in(message.product.image_url) for message in messages if message.product}
    return record_digests({digest for digest in named if digest})


def record_digests(digests: set[str]) -> bool:
    """Record those of ``digests`` that are not copied yet; return whether there were any."""
    if not digests:
        return False
    copied = by_ids(ImageCopy._get_collection(), list(digests), {"_id": 1})
    missing = digests - {image["_id"] for image in copied}
    if missing:
        now = datetime.now(UTC)
        fresh = {"$setOnInsert": {"since": now, "due_at": now, "tries": 0, "reason": None}}
        writes = [UpdateOne({"_id": digest}, fresh, upsert=True) for digest in missing]
        bulk_write(WantedImage._get_collection(), writes)
    return bool(missing)


def waiting() -> int:
    """Return how many images are still to be copied."""
    return int(WantedImage._get_collection().count_documents({}))


def named(digests: Iterable[str]) -> set[str]:
    """Return those of ``digests`` that a product uses."""
    urls = {url_of(digest): digest for digest in digests}
    found = ProductCopy._get_collection().distinct("image_url", {"image_url": {"$in": list(urls)}})
    return {urls[url] for url in found if isinstance(url, str) and url in urls}  # an array may contain other values too
