"""Serves images to browsers: the copy, or a placeholder until it arrives."""

import threading
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from flask import Response

from client.images import wanted
from client.images.documents import ImageCopy, WantedImage
from web.http.api import Blueprint
from web.http.images import image_response
from web.http.problems import ProblemError

blp = Blueprint("image_files", __name__, url_prefix="/images", description="Product images, for browsers")

RECENT = timedelta(seconds=10)  # an image that is wanted for less than this is probably being copied now …
WAIT_SECONDS, POLL_SECONDS = 2.0, 0.1  # … so wait for the worker
_waiting = threading.BoundedSemaphore(2)  # threads that may wait; the others answer at once

_PLACEHOLDER = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#8883"/>'
    '<path d="M14 46l12-16 9 11 6-7 9 12z" fill="#888"/><circle cx="42" cy="22" r="5" fill="#888"/></svg>'
)


class ImageNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


@blp.route("/<digest>")
@blp.doc(responses={"200": {"description": "The image, or a placeholder", "content": {"image/webp": {}}}})
def show_image(digest: str) -> Response:
    """Show an image, or a placeholder until it is copied."""
    content = _content(digest) or _wait_for(digest)
    return _placeholder() if content is None else image_response(content, digest)


def _content(digest: str) -> bytes | None:
    image = ImageCopy._get_collection().find_one({"_id": digest}, {"content": 1})
    return bytes(image["content"]) if image else None


def _wait_for(digest: str) -> bytes | None:
    """Return the image if it is copied within WAIT_SECONDS. Raises ImageNotFoundError when no product uses it.

    An image that a product uses and that is not wanted yet was lost, and is recorded as wanted.
    """
    if not wanted.named([digest]):
        raise ImageNotFoundError("There is no such image.")
    wanted.record_digests({digest})
    image = WantedImage._get_collection().find_one({"_id": digest})
    if (image and image["since"] < datetime.now(UTC) - RECENT) or not _waiting.acquire(blocking=False):
        return _content(digest)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while (content := _content(digest)) is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return content
    finally:
        _waiting.release()


def _placeholder() -> Response:
    response = Response(_PLACEHOLDER, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "no-store"
    return response
