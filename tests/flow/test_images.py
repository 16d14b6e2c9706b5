"""Uploaded images on their way to the shop: products never wait, and what is shown is what was uploaded."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests
from flask.testing import FlaskClient
from PIL import Image as Picture
from sqlalchemy import delete

from admin.catalogue.images.models import Image
from admin.catalogue.images.service import get_image, store_image
from admin.catalogue.service import ANY_VERSION, create_product, delete_product
from admin.db.extensions import db
from client import create_app
from client.images import copy, purge, wanted
from client.images.documents import ImageCopy, WantedImage
from client.replica import apply
from contract.messages import ProductChanged, ProductContent
from tests.flow.likes_both_sides import BothSides
from tests.flow.running import Running, eventually
from tests.flow.stores import CONTENT, TIMES, unique_name


def picture(colour: str = "red", size: tuple[int, int] = (60, 40)) -> io.BytesIO:
    file = io.BytesIO()
    Picture.new("RGB", size, colour).save(file, "PNG")
    file.seek(0)
    return file


@pytest.fixture
def both(sides: BothSides) -> BothSides:
    """Both sides without images."""
    for collection in (ImageCopy, WantedImage):
        collection._get_collection().delete_many({})
    db.session.execute(delete(Image))
    return sides


@pytest.fixture
def shop(both: BothSides) -> FlaskClient:
    return create_app(both.settings).test_client()


@pytest.fixture
def url(both: BothSides) -> str:  # noqa: ARG001 - both sides must be there
    """An image that Admin has and a product names; the product has arrived, the image has not."""
    address = store_image(picture())
    name_it(address)
    return address


def name_it(url: str) -> int:
    """Create a product with the image at ``url`` and let it arrive, as the task does; return its id."""
    content = {**CONTENT, "sku": unique_name(), "image_url": url}
    product = create_product({**content, "price": Decimal(content["price"])}, "test").id
    message = ProductChanged(product, 1, ProductContent(**content, **TIMES))
    apply.apply([message])
    wanted.record([message])
    return product


def digest(url: str) -> str:
    return url.removeprefix("/images/")


def waiting() -> dict[str, str | None]:
    return {image["_id"]: image["reason"] for image in WantedImage._get_collection().find()}


def become_due() -> None:
    WantedImage._get_collection().update_many({}, {"$set": {"due_at": datetime.now(UTC)}})


def test_an_image_is_copied_and_shown_with_admin_down(both: BothSides, shop: FlaskClient, url: str) -> None:
    original = get_image(digest(url))
    copy.copy(both.gateway)
    both.server.mood = 503
    answer = shop.get(url)
    assert (answer.data, answer.mimetype) == (original, "image/webp")
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert waiting() == {}


def test_until_it_is_here_the_shop_shows_a_placeholder(both: BothSides, shop: FlaskClient, url: str) -> None:
    WantedImage._get_collection().update_one({}, {"$set": {"since": datetime.now(UTC) - timedelta(minutes=1)}})
    answer = shop.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.headers["Cache-Control"] == "no-store"
    copy.copy(both.gateway)
    assert shop.get(url).mimetype == "image/webp"


def test_an_image_that_no_product_names_is_not_found(shop: FlaskClient) -> None:
    assert shop.get(store_image(picture("blue"))).status_code == 404
    assert shop.get("/images/..%2f..%2fetc").status_code == 404
    assert waiting() == {}


@pytest.mark.parametrize("mood", [503, 401, "reset", "slow"])
def test_an_outage_of_admin_only_delays_the_copy(both: BothSides, url: str, mood: str | int) -> None:
    both.server.mood = mood
    copy.copy(both.gateway)
    assert "Admin" in (waiting()[digest(url)] or "")
    both.server.mood = None
    copy.copy(both.gateway)
    assert waiting()  # not due yet
    become_due()
    copy.copy(both.gateway)
    assert waiting() == {}


def test_bytes_that_do_not_match_the_digest_are_not_stored(both: BothSides, url: str) -> None:
    both.server.mood = picture("green").getvalue()
    copy.copy(both.gateway)
    assert waiting() == {digest(url): "the bytes from Admin do not match the digest"}
    assert ImageCopy._get_collection().count_documents({}) == 0


def test_one_image_that_fails_does_not_hold_up_the_next(both: BothSides, url: str) -> None:
    other = store_image(picture("blue"))
    name_it(other)
    db.session.execute(delete(Image).where(Image.digest == digest(url)))
    db.session.commit()
    copy.copy(both.gateway)
    assert waiting() == {digest(url): "Admin has no such image"}
    assert ImageCopy.objects(id=digest(other)).first()


def test_an_image_that_nobody_names_and_admin_has_not_is_given_up(both: BothSides) -> None:
    wanted.record_digests({"0" * 64})
    copy.copy(both.gateway)
    assert waiting() == {}


def test_a_copy_that_was_lost_is_wanted_again_once_someone_looks(both: BothSides, shop: FlaskClient, url: str) -> None:
    copy.copy(both.gateway)
    ImageCopy._get_collection().delete_many({})
    shop.get(url)
    copy.copy(both.gateway)
    assert shop.get(url).mimetype == "image/webp"


def test_copies_leave_a_week_after_the_last_product_that_named_them(both: BothSides) -> None:
    url = store_image(picture())
    product = name_it(url)
    copy.copy(both.gateway)
    assert purge.purge() == 0
    age(None)
    assert purge.purge() == 1
    assert ImageCopy.objects.get().unused_since is None
    delete_product(product, ANY_VERSION, "test")
    apply.apply([ProductChanged(product, 2, None)])
    age(None)
    purge.purge()
    assert ImageCopy.objects.get().unused_since is not None
    age(timedelta(days=6))
    purge.purge()
    assert ImageCopy.objects.count() == 1
    age(timedelta(days=8))
    purge.purge()
    assert ImageCopy.objects.count() == 0


def age(unused: timedelta | None) -> None:
    """Set every copy back: not looked at for two days, unused for ``unused`` (None: in use)."""
    now = datetime.now(UTC)
    values = {"checked_at": now - timedelta(days=2), "unused_since": now - unused if unused else None}
    ImageCopy._get_collection().update_many({}, {"$set": values})


def test_an_uploaded_image_reaches_the_shop_by_itself(production: Running) -> None:
    """The whole way: REST, the product's message, the worker, the signed door, the shop."""
    answer = production.admin.ask("POST", "/api/v1/images", files={"file": picture(size=(1700, 30))}).json()
    assert (answer["width"], answer["height"]) == (1600, 28)
    product = production.create(image_url=answer["url"])
    eventually(lambda: production.arrived(product, image_url=answer["url"]))
    shown: list[requests.Response] = []

    def image_is_here() -> bool:
        shown[:] = [production.client.request("GET", answer["url"])]
        return shown[0].headers["Content-Type"] == "image/webp"

    eventually(image_is_here)
    assert shown[0].content == production.admin.request("GET", answer["url"]).content
