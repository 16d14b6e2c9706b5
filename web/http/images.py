"""Images by digest: what both services call them and how both serve them. The bytes behind a digest never change."""

import hashlib
import re

from flask import Response, request

WEBP = "image/webp"  # the one type that is stored; every browser of the last years shows it
FOREVER = "public, max-age=31536000, immutable"

_URL = re.compile(r"/images/([0-9a-f]{64})")


def digest_of(content: bytes) -> str:
    """Return the name of ``content``: its SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


def url_of(digest: str) -> str:
    """Return the image's address, the same on both services."""
    return f"/images/{digest}"


def digest_in(image_url: str) -> str | None:
    """Return the digest when ``image_url`` is one of ours, None for any other."""
    found = _URL.fullmatch(image_url)
    return found[1] if found else None


def is_ours(image_url: str) -> bool:
    """Return whether ``image_url`` claims to be an uploaded image."""
    return image_url == "/images" or image_url.startswith("/images/")


def image_response(content: bytes, digest: str) -> Response:
    """Serve an image, for ever cacheable; 304 for who has it. Nothing in it can run, whatever it were."""
    response = Response(content, mimetype=WEBP)
    response.set_etag(digest)
    response.headers["Cache-Control"] = FOREVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.make_conditional(request)
    return response
