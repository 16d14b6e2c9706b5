"""Stores uploaded images under their digests, and reads them.

A product's ``image_url`` names one and is sent as any other field; the Client copies the bytes (client/images). See
docs/decisions/0016.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import IO

from sqlalchemy import Select, select

from admin.catalogue.images.encoding import Encoded, UnacceptableImageError, encode
from admin.catalogue.images.models import Image
from admin.db.engine import retry_deadlocks, upsert, utc_now
from admin.db.extensions import db
from web.http.images import WEBP, digest_in, digest_of, is_ours, url_of
from web.http.problems import ProblemError

MAX_MEBIBYTES = 10  # of an upload


class ImageNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class UnknownImageError(ProblemError):
    """A product names an uploaded image that is not stored."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


def store_image(file: IO[bytes] | None) -> str:
    """Verify, re-encode and store an uploaded file; return its address. Equal images are stored once.

    Raises UnacceptableImageError, which says what is wrong.
    """
    return url_of(store(file).digest)


def store(file: IO[bytes] | None) -> Image:
    """Verify, re-encode and store an uploaded file; return the row, without its bytes."""
    if file is None:
        raise UnacceptableImageError("is missing")
    encoded = encode(file)
    return _store(digest_of(encoded.content), encoded)


def get_image(digest: str) -> bytes:
    """Return an image's bytes. Raises ImageNotFoundError."""
    content = db.session.execute(select(Image.content).where(Image.digest == digest)).scalar_one_or_none()
    db.session.rollback()
    if content is None:
        raise ImageNotFoundError("There is no such image.")
    return content


def lock(image_url: str) -> None:
    """Lock the image that a product is about to name, so that no purge removes it before this transaction ends.

    Does nothing for addresses outside Lockstep. Raises UnknownImageError; the transaction is then rolled back.
    """
    if lost(image_url):
        db.session.rollback()
        raise UnknownImageError("The image is not stored.", [{"field": "image_url", "detail": NOT_STORED}])


def lost(image_url: str) -> bool:
    """Return whether this is the address of an uploaded image that is not stored; lock one that is."""
    return is_ours(image_url) and not _locked(image_url)


NOT_STORED = "names an image that was never uploaded, or was removed because no product used it; upload it first"


def unknown(image_urls: Iterable[str]) -> set[str]:
    """Return those of ``image_urls`` that are addresses of uploaded images which are not stored."""
    found = _not_among(image_urls, select(Image.digest))
    db.session.rollback()
    return found


def lost_among(image_urls: Iterable[str]) -> set[str]:
    """Return what ``unknown`` does, and lock the images that are stored, as ``lock`` does. Ends no transaction."""
    return _not_among(image_urls, select(Image.digest).order_by(Image.digest).with_for_update(read=True))


def _not_among(image_urls: Iterable[str], stored: Select[tuple[str]]) -> set[str]:
    ours = {url: digest_in(url) for url in image_urls if is_ours(url)}
    digests = set(filter(None, ours.values()))
    known = set(db.session.execute(stored.where(Image.digest.in_(digests))).scalars()) if digests else set()
    return {url for url, digest in ours.items() if digest not in known}


def _locked(image_url: str) -> bool:
    query = select(Image.digest).where(Image.digest == digest_in(image_url)).with_for_update(read=True)
    return db.session.execute(query).first() is not None


@retry_deadlocks
def _store(digest: str, encoded: Encoded) -> Image:
    """Store the row, or treat a stored one as new, since it was uploaded to be used."""
    now = utc_now()
    row = {
        "digest": digest,
        "content": encoded.content,
        "type": WEBP,
        "width": encoded.width,
        "height": encoded.height,
        "created_at": now,
        "checked_at": now,
        "unused_since": now,
    }
    renewed = ("checked_at", "unused_since")
    db.session.execute(upsert(Image, [row], lambda new: {name: getattr(new, name) for name in renewed}))
    image = db.session.execute(select(Image).where(Image.digest == digest)).scalar_one()
    db.session.commit()
    return image
