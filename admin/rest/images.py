"""REST: upload and serve images; the Client fetches their bytes by a signed request."""

from typing import Any

import marshmallow as ma
from flask import Response
from flask.views import MethodView
from flask_smorest.fields import Upload

from admin.accounts.models import EDITOR
from admin.accounts.tokens import api_for
from admin.catalogue.images import service
from contract.service_calls import IMAGES
from web.http.api import Blueprint, bearer_doc
from web.http.images import image_response, url_of
from web.http.uploads import accepts_upload
from web.security.signatures import service_only

blp = Blueprint("images", __name__, url_prefix="/api/v1/images", description="Product images")
pages = Blueprint("image_files", __name__, url_prefix="/images", description="Product images, for browsers")
service_blp = Blueprint("image_bytes", __name__, url_prefix=IMAGES, description="For the Client only")


class UploadSchema(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE  # a browser's form sends more fields

    file = Upload(required=True, metadata={"description": "JPEG, PNG, WebP or GIF"})


class ImageSchema(ma.Schema):
    url = ma.fields.Function(lambda image: url_of(image.digest), metadata={"type": "string"})
    type = ma.fields.String()
    width = ma.fields.Integer(metadata={"description": "pixels"})
    height = ma.fields.Integer(metadata={"description": "pixels"})


@blp.route("")
@accepts_upload(service.MAX_MEBIBYTES)
class Images(MethodView):
    @api_for(EDITOR)
    @blp.doc(**bearer_doc())
    @blp.arguments(UploadSchema, location="files")
    @blp.response(201, ImageSchema)
    def post(self, files: dict[str, Any]) -> Any:
        """Store an image. Use its ``url`` as a product's image_url. Equal images are stored once."""
        image = service.store(files["file"].stream)
        return image, {"Location": url_of(image.digest)}


@pages.route("/<digest>")
@pages.doc(responses={"200": {"description": "The image", "content": {"image/webp": {}}}})
def show_image(digest: str) -> Response:
    """Return an image. It never changes."""
    return image_response(service.get_image(digest), digest)


@service_blp.route("/<digest>")
@service_only
@service_blp.doc(responses={"200": {"description": "The image", "content": {"image/webp": {}}}})
def image_bytes(digest: str) -> Response:
    """Return an image's bytes to the Client."""
    return image_response(service.get_image(digest), digest)
