"""What was uploaded becomes an image of ours: decoded by Pillow and encoded anew, so that nothing else survives.

No metadata (where a photo was taken), no bytes after the end, no script that claims to be an image.
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
MAX_PIXELS = 50_000_000  # of what is uploaded; a small file may claim to be a huge picture
MAX_SIDE = 1_600  # pixels, of what is kept
_QUALITY = 82
_ONE_AT_ONCE = threading.Lock()  # a decoded picture takes up to 200 MB


class UnacceptableImageError(ProblemError):
    """Not an image that can be shown; nothing was stored."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, reason: str) -> None:
        super().__init__(f"This image cannot be taken: it {reason}.", [{"field": "file", "detail": reason}])


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as it is kept."""

    content: bytes
    width: int
    height: int


def encode(file: IO[bytes]) -> Encoded:
    """Return ``file`` upright, at most MAX_SIDE a side, in 8-bit sRGB, as WebP. Raises UnacceptableImageError."""
    try:
        with warnings.catch_warnings(), _ONE_AT_ONCE:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we count pixels ourselves
            with Image.open(file, formats=FORMATS) as source:
                _check_size(source)
                return _save(_upright(source))
    except UnacceptableImageError:
        raise
    except UnidentifiedImageError:
        raise UnacceptableImageError("is not a JPEG, PNG, WebP or GIF") from None
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:  # a decoder raises whatever broken bytes lead it to
        raise UnacceptableImageError("is damaged or cut short") from error


def _check_size(source: Image.Image) -> None:
    """Refuse by what the header claims, before anything is decoded."""
    if source.width * source.height > MAX_PIXELS:
        raise _too_large()


def _too_large() -> UnacceptableImageError:
    return UnacceptableImageError(f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller")


def _upright(source: Image.Image) -> Image.Image:
    """Decode, make smaller, turn as the camera was held, convert to sRGB: in this order little memory is needed."""
    source.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded at a fraction of its size
    picture = colours.eight_bit(source)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    return colours.to_srgb(ImageOps.exif_transpose(picture), source.info.get("icc_profile"))


def _save(picture: Image.Image) -> Encoded:
    out = io.BytesIO()
    picture.info = {}
    picture.save(out, "WEBP", quality=_QUALITY, exif=b"", icc_profile=None)
    return Encoded(out.getvalue(), *picture.size)
