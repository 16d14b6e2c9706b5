"""Decodes uploaded images with Pillow and encodes them again, so that only the picture remains.

This removes metadata (where a photo was taken), bytes after the end, and scripts that claim to be images.
"""

import io
import threading
import warnings
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from admin.catalogue.images import colours
from web.http.problems import ProblemError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")  # of a GIF, the first frame
MAX_PIXELS = 50_000_000  # of an upload; a small file may declare a huge picture
MAX_SIDE = 1_600  # pixels, of the stored image
_QUALITY = 82
_ONE_AT_ONCE = threading.Lock()  # a decoded picture takes up to 200 MB


class UnacceptableImageError(ProblemError):
    """The upload is no usable image; nothing was stored."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, reason: str) -> None:
        super().__init__(f"This image cannot be used: it {reason}.", [{"field": "file", "detail": reason}])


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as it is stored."""

    content: bytes
    width: int
    height: int


def encode(file: IO[bytes]) -> Encoded:
    """Return ``file`` upright, at most MAX_SIDE a side, in 8-bit sRGB, as WebP. Raises UnacceptableImageError."""
    try:
        with warnings.catch_warnings(), _ONE_AT_ONCE:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # _check_size counts the pixels
            with Image.open(file, formats=FORMATS) as source:
                _check_size(source)
                return _save(_upright(source))
    except UnacceptableImageError:
        raise
    except UnidentifiedImageError:
        raise UnacceptableImageError("is not a JPEG, PNG, WebP or GIF") from None
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:  # decoders raise any exception for broken bytes
        raise UnacceptableImageError("is damaged or cut short") from error


def _check_size(source: Image.Image) -> None:
    """Refuse an image by the size in its header, before decoding it."""
    if source.width * source.height > MAX_PIXELS:
        raise _too_large()


def _too_large() -> UnacceptableImageError:
    return UnacceptableImageError(f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller")


def _upright(source: Image.Image) -> Image.Image:
    """Decode, shrink, rotate by EXIF and convert to sRGB: this order needs the least memory."""
    source.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded at a fraction of its size
    picture = colours.eight_bit(source)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    return colours.to_srgb(ImageOps.exif_transpose(picture), source.info.get("icc_profile"))


def _save(picture: Image.Image) -> Encoded:
    out = io.BytesIO()
    picture.info = {}
    picture.save(out, "WEBP", quality=_QUALITY, exif=b"", icc_profile=None)
    return Encoded(out.getvalue(), *picture.size)
