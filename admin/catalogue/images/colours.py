"""Converts pictures of any depth and colour space to 8-bit sRGB, which browsers assume without a profile."""

import io

from PIL import Image, ImageCms, ImageMath

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_GREY = ("1", "L", "LA")
_PER_STEP = 65_535 / 255  # Pillow's own conversion cuts 16 bits off at 255: every shade above it becomes white


def eight_bit(picture: Image.Image) -> Image.Image:
    """Return ``picture`` with 8 bits per channel: as L, RGB or CMYK, with transparency as LA or RGBA."""
    if picture.mode.startswith("I"):  # how Pillow reads a grey PNG of 16 bits
        return _sixteen_bit(picture)
    if picture.has_transparency_data:
        return picture.convert("LA" if picture.mode in _GREY else "RGBA")
    if picture.mode == "CMYK":
        return picture.copy()
    return picture.convert("L" if picture.mode in _GREY else "RGB")


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return ``picture``, which ``eight_bit`` made, as RGB or RGBA, in the colours of its ICC ``profile``.

    A profile that is broken or of another kind of picture is ignored, as in browsers.
    """
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    plain = picture.convert(picture.mode.removesuffix("A")) if alpha else picture
    colours = _by_profile(plain, profile) or plain.convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def _sixteen_bit(picture: Image.Image) -> Image.Image:
    shades = picture.convert("I")
    grey = shades.point(lambda shade: shade * (1 / _PER_STEP)).convert("L")
    transparent = picture.info.get("transparency")  # the one transparent shade
    if transparent is None:
        return grey
    painted = ImageMath.lambda_eval(lambda a: a["convert"]((a["shades"] != transparent) * 255, "L"), shades=shades)
    return Image.merge("LA", (grey, painted))


def _by_profile(picture: Image.Image, profile: bytes | None) -> Image.Image | None:
    if not profile:
        return None
    try:
        meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, meant, _SRGB, outputMode="RGB")
    except (OSError, ValueError, ImageCms.PyCMSError):
        return None
