"""Uploaded images: which are accepted, how they are stored, and which products name them."""

import io
import os
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from PIL import Image as Picture
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from admin.catalogue.images import purge
from admin.catalogue.images.encoding import MAX_SIDE
from admin.catalogue.images.models import Image
from admin.catalogue.models import Product
from admin.db.extensions import db
from tests.unit.admin.catalogue import PRODUCTS, Api, change
from web.http.images import digest_of

IMAGES = "/api/v1/images"
UNKNOWN = f"/images/{'0' * 64}"
ORIENTATION, MAKE = 0x112, 0x10F


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    out = io.BytesIO()
    Picture.new(mode, size, "red" if mode == "RGB" else 0).save(out, kind, **options)
    return out.getvalue()


def upload(api: Api, content: bytes, name: str = "picture.png") -> TestResponse:
    return api.call("POST", IMAGES, data={"file": (io.BytesIO(content), name)})


def uploaded(api: Api, content: bytes) -> str:
    answer = upload(api, content)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["url"])


def shown(api: Api, url: str) -> Picture.Image:
    return Picture.open(io.BytesIO(api.call("GET", url).data))


def gradient(mode: str, levels: tuple[int, ...], **options: Any) -> bytes:
    """A PNG of 16 columns for each of ``levels``."""
    image, out = Picture.new(mode, (16 * len(levels), 16)), io.BytesIO()
    for number, level in enumerate(levels):
        image.paste(level, (16 * number, 0, 16 * number + 16, 16))
    image.save(out, "PNG", **options)
    return out.getvalue()


def colours(api: Api, content: bytes) -> list[tuple[int, ...]]:
    """Upload a picture; the colours in the middle of each of its 16 columns, as they are stored."""
    with shown(api, uploaded(api, content)) as kept:
        middles = range(8, kept.width, 16)
        return [tuple(kept.convert("RGBA").getpixel((x, 8))) for x in middles]  # type: ignore[arg-type]


def near(found: list[tuple[int, ...]], expected: list[tuple[int, ...]], by: int = 6) -> bool:
    return all(abs(a - b) <= by for pair in zip(found, expected, strict=True) for a, b in zip(*pair, strict=True))


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile, version 4, of a display of the colour ``space``."""
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = bytes(4) + bytes(4) + b"\x04\x20\0\0" + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    header += fixed(0.9642, 1.0, 0.8249)
    content = header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(content)) + content[4:]


def fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65_536)) for number in numbers)


def xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + fixed(*numbers)


SRGB_CURVE = b"para" + bytes(4) + b"\0\x03\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
WHITE = xyz(0.9642, 1.0, 0.8249)
DISPLAY_P3 = profile(
    b"RGB ",
    {
        b"wtpt": WHITE,
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), SRGB_CURVE),
    },
)
LINEAR_GREY = profile(b"GRAY", {b"wtpt": WHITE, b"kTRC": b"para" + bytes(8) + fixed(1.0)})


def bomb() -> bytes:
    """A PNG of a few bytes that claims 3,600 million pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + picture()[33:]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("GIF", "P"), ("WEBP", "RGB")],
)
def test_each_format_is_accepted_and_becomes_webp(editor: Api, kind: str, mode: str) -> None:
    answer = upload(editor, picture(kind, mode))
    assert answer.status_code == 201, answer.text
    image = answer.get_json()
    assert (image["type"], image["width"], image["height"]) == ("image/webp", 60, 40)
    assert answer.headers["Location"] == image["url"]
    with shown(editor, image["url"]) as kept:
        assert (kept.format, kept.size) == ("WEBP", (60, 40))


def test_grey_of_16_bits_keeps_its_shades(editor: Api) -> None:
    levels = (0, 257 * 100, 257 * 200, 65_535)
    shades = [(0, 0, 0, 255), (100, 100, 100, 255), (200, 200, 200, 255), (255, 255, 255, 255)]
    assert near(colours(editor, gradient("I;16", levels)), shades)


def test_transparent_shade_of_16_bit_grey_is_transparent(editor: Api) -> None:
    found = colours(editor, gradient("I;16", (257 * 100, 65_535), transparency=65_535))
    assert [alpha for *_colour, alpha in found] == [255, 0]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_a_wide_profile_are_stored_as_srgb(editor: Api, mode: str) -> None:
    """Red as sRGB has it is (234, 51, 35) in Display P3, which phones take photos in; grey is grey in both."""
    alpha = (255,) if mode == "RGBA" else ()
    image, out = Picture.new(mode, (32, 16), (234, 51, 35, *alpha)), io.BytesIO()
    image.paste((128, 128, 128, *alpha), (16, 0, 32, 16))
    image.save(out, "PNG", icc_profile=DISPLAY_P3)
    assert near(colours(editor, out.getvalue()), [(255, 0, 0, 255), (128, 128, 128, 255)], by=10)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_of_another_gamma_is_stored_as_srgb(editor: Api, mode: str) -> None:
    """Half the light is 128 where grey is linear, and 188 in sRGB."""
    half = {"L": 128, "LA": (128, 255), "I;16": 257 * 128}[mode]
    image, out = Picture.new(mode, (16, 16), half), io.BytesIO()  # type: ignore[arg-type]
    image.save(out, "PNG", icc_profile=LINEAR_GREY)
    assert near(colours(editor, out.getvalue()), [(188, 188, 188, 255)])


@pytest.mark.parametrize(
    "wrong", [b"no profile", DISPLAY_P3[:150], LINEAR_GREY], ids=["text", "cut", "grey for colour"]
)
def test_picture_with_an_unusable_profile_is_read_as_srgb(editor: Api, wrong: bytes) -> None:
    out = io.BytesIO()
    Picture.new("RGB", (16, 16), (200, 100, 50)).save(out, "PNG", icc_profile=wrong)
    assert near(colours(editor, out.getvalue()), [(200, 100, 50, 255)], by=10)


def test_equal_images_are_stored_once(app: Flask, editor: Api) -> None:
    assert uploaded(editor, picture()) == uploaded(editor, picture())
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Image)) == 1


def test_a_photo_is_upright_and_has_no_metadata(editor: Api) -> None:
    exif = Picture.Exif()
    exif[ORIENTATION], exif[MAKE] = 6, "Somebody's camera"
    url = uploaded(editor, picture("JPEG", exif=exif))
    with shown(editor, url) as kept:
        assert kept.size == (40, 60)
        assert not kept.getexif()
    assert b"Somebody" not in editor.call("GET", url).data


def test_a_large_picture_is_made_smaller(editor: Api) -> None:
    answer = upload(editor, picture("JPEG", size=(3200, 1000))).get_json()
    assert (answer["width"], answer["height"]) == (MAX_SIDE, 500)


def test_only_the_first_frame_of_a_gif_is_stored(editor: Api) -> None:
    frames = [Picture.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    with shown(editor, uploaded(editor, out.getvalue())) as kept:
        assert not getattr(kept, "is_animated", False)
        red, _green, blue = kept.convert("RGB").getpixel((4, 4))  # type: ignore[misc]
        assert red > blue


def test_a_script_after_a_picture_is_removed(editor: Api) -> None:
    polyglot = picture("JPEG") + b"<script>alert(1)</script>"
    answer = editor.call("GET", uploaded(editor, polyglot))
    assert b"script" not in answer.data
    assert answer.mimetype == "image/webp"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "is not a JPEG"),
        (b"<!doctype html><script>alert(1)</script>", "is not a JPEG"),
        (b"GIF89a/*" + b"<script>alert(1)</script>" * 9, "is not a JPEG"),
        (picture("JPEG", size=(400, 400))[:600], "damaged"),
        (picture("PNG", size=(400, 400))[:-60], "damaged"),
        (b"II*\x00" + os.urandom(100), "is not a JPEG"),
        (bomb(), "million pixels"),
    ],
    ids=["nothing", "SVG", "HTML", "script as GIF", "half a JPEG", "half a PNG", "TIFF", "bomb"],
)
def test_upload_that_is_no_picture_is_refused_with_a_reason(
    app: Flask, editor: Api, content: bytes, reason: str
) -> None:
    answer = upload(editor, content)
    assert answer.status_code == 422, answer.text
    assert answer.mimetype == "application/problem+json"
    assert reason in answer.get_json()["errors"][0]["detail"]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Image)) == 0


def test_a_file_that_is_too_large_is_refused_before_it_is_read(editor: Api) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = editor.call("POST", IMAGES, form, environ_overrides={"CONTENT_LENGTH": str(11 << 20)})
    assert (answer.status_code, answer.get_json()["detail"]) == (413, "The file is too large. The limit is 10 MB.")


def test_a_file_of_unknown_length_is_refused(editor: Api) -> None:
    headers = {"Transfer-Encoding": "chunked", "Content-Type": "multipart/form-data; boundary=x"}
    assert editor.call("POST", IMAGES, headers, input_stream=io.BytesIO(b"x")).status_code == 411


def test_a_form_without_a_file_is_refused(editor: Api) -> None:
    answer = editor.call("POST", IMAGES, data={"other": "x"}, content_type="multipart/form-data")
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "files.file")


def test_forms_are_accepted_only_by_uploads(editor: Api) -> None:
    assert editor.call("POST", PRODUCTS, data={"file": (io.BytesIO(picture()), "x.png")}).status_code == 415
    assert editor.call("POST", IMAGES, json={"file": "x"}).status_code == 422


def test_an_image_is_cached_for_ever(editor: Api) -> None:
    url = uploaded(editor, picture())
    answer = editor.call("GET", url)
    assert digest_of(answer.data) == url.removeprefix("/images/")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert editor.call("GET", url, {"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert editor.call("GET", UNKNOWN).status_code == 404


def test_a_product_names_only_stored_images(editor: Api) -> None:
    url = uploaded(editor, picture())
    product = editor.create(image_url=url)
    assert product["image_url"] == url
    refused = editor.patch(product["id"], "*", image_url=UNKNOWN)
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "image_url")
    assert editor.call("POST", PRODUCTS, json={**product_fields(product), "image_url": UNKNOWN}).status_code == 422
    assert editor.show(product["id"]).get_json()["version"] == 1


@pytest.mark.parametrize(
    "address", ["/images/", "/images/x", f"/images/{'0' * 63}", f"/images/{'A' * 64}", UNKNOWN + "?"]
)
def test_address_of_no_stored_image_is_refused(editor: Api, address: str) -> None:
    product = editor.create(image_url="")
    answer = editor.patch(product["id"], "*", image_url=address)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "image_url")


def product_fields(product: dict[str, Any]) -> dict[str, Any]:
    names = ("title", "description", "price", "currency", "category")
    return {"sku": "OTHER-1", **{name: product[name] for name in names}}


def ago(time: timedelta) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) - time


def age(app: Flask, url: str, unused: timedelta | None) -> None:
    """Set an image's times back: not checked for two days, unused for ``unused`` (None: in use)."""
    values = {"checked_at": ago(timedelta(days=2)), "unused_since": None if unused is None else ago(unused)}
    change(app, update(Image).where(Image.digest == url.removeprefix("/images/")).values(values))


def purged(app: Flask) -> int:
    with app.app_context():
        return purge.purge()


def test_image_unused_for_a_week_is_deleted(app: Flask, editor: Api) -> None:
    url = uploaded(editor, picture())
    assert purged(app) == 0
    age(app, url, timedelta(days=6))
    assert purged(app) == 1
    assert editor.call("GET", url).status_code == 200
    age(app, url, timedelta(days=8))
    assert purged(app) == 1
    assert editor.call("GET", url).status_code == 404


def test_image_in_use_stays_and_is_deleted_a_week_after_its_last_use(app: Flask, editor: Api) -> None:
    url = uploaded(editor, picture())
    product = editor.create(image_url=url)
    age(app, url, timedelta(days=100))
    assert purged(app) == 1
    editor.patch(product["id"], "*", image_url="")
    age(app, url, None)
    assert purged(app) == 1  # found unused: from now on it counts
    assert editor.call("GET", url).status_code == 200


def test_image_of_a_deleted_product_stays_for_a_restore(app: Flask, editor: Api) -> None:
    url = uploaded(editor, picture())
    product = editor.create(image_url=url)
    editor.delete(product["id"])
    age(app, url, timedelta(days=8))
    assert purged(app) == 1
    assert editor.call("GET", url).status_code == 200
    change(app, update(Product).values(deleted_at=ago(timedelta(days=91))))
    age(app, url, timedelta(days=8))
    assert purged(app) == 1
    assert editor.call("GET", url).status_code == 404


def test_an_image_that_is_uploaded_again_is_new(app: Flask, editor: Api) -> None:
    url = uploaded(editor, picture())
    age(app, url, timedelta(days=8))
    uploaded(editor, picture())
    assert purged(app) == 0
    assert editor.call("GET", url).status_code == 200
