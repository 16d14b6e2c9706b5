"""Images by digest: their names and how both services serve them. The bytes of a digest never change."""

import hashlib
import re

from flask import Response, request

WEBP = "image/webp"  # the only stored type; all current browsers show it
FOREVER = "public, max-age=31536000, immutable"

_URL = re.compile(r"/images/([0-9a-f]{64})")


def digest_of(content: bytes) -> str:
    """Return the name of ``content``: its SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


def url_of(digest: str) -> str:
    """Return the image's address, the same on both services."""
    return f"/images/{digest}"


def digest_in(image_url: str) -> str | None:
    """Return the digest in the URL of an uploaded image, None for any other URL."""
    found = _URL.fullmatch(image_url)
    return found[1] if found else None


def is_ours(image_url: str) -> bool:
    """Return whether ``image_url`` has the path of uploaded images."""
    return image_url == "/images" or image_url.startswith("/images/")


def image_response(content: bytes, digest: str) -> Response:
    """Return the response for an image: cacheable for ever, 304 where the browser has it, and never executed."""
    response = Response(content, mimetype=WEBP)
    response.set_etag(digest)
    response.headers["Cache-Control"] = FOREVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.make_conditional(request)
    return response
