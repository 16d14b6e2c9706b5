"""REST: the catalogue, and for the Client the current states of products."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, url_for
from flask.views import MethodView

from admin.accounts.identity import author
from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.tokens import api_for
from admin.catalogue import idempotency, queries, service
from admin.catalogue.messages import current_messages
from admin.catalogue.models import ProductRow
from admin.catalogue.schemas import (
    ChangesSchema,
    ContentSchema,
    ListQuerySchema,
    ProductListSchema,
    ProductSchema,
    StatesQuerySchema,
)
from admin.likes.queries import likes_of, with_likes
from admin.rest.keys import idempotency_key
from admin.rest.preconditions import etag, expected_versions, not_modified
from contract.service_calls import PRODUCTS
from web.http.api import Blueprint, bearer_doc, if_match_doc
from web.http.cursors import next_link
from web.http.openapi import IDEMPOTENCY_KEY
from web.security.signatures import service_only

blp = Blueprint("products", __name__, url_prefix="/api/v1/products", description="The catalogue")
_SCHEMA = ProductSchema()
service_blp = Blueprint("product_states", __name__, url_prefix=PRODUCTS, description="For the Client service only")


@blp.route("")
class Products(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.arguments(ListQuerySchema, location="query")
    @blp.response(200, ProductListSchema)
    def get(self, query: dict[str, Any]) -> Any:
        """List products that are not deleted, by default by id. The Link header leads to the next page."""
        page = queries.list_products(**query)
        with_likes(page.items)
        return page, next_link(page.next_cursor)

    @api_for(EDITOR)
    @blp.doc(**bearer_doc("ETag", "Location", parameters=[IDEMPOTENCY_KEY]))
    @blp.arguments(ContentSchema)
    @blp.response(201, ProductSchema)
    @blp.alt_response(409, description="The sku is taken")
    def post(self, content: dict[str, Any]) -> Any:
        """Create a product. A repeated Idempotency-Key returns the first answer and creates nothing."""
        with idempotency.claim(author(), idempotency_key(), content) as claim:
            if claim and claim.answer:
                return _created(claim.answer, {"Idempotent-Replayed": "true"})
            # A new product has no likes, so the answer needs no further query.
            store_answer = (lambda made: claim.store(_body(made))) if claim else (lambda _made: None)
            return _created(_body(service.create_product(content, author(), store_answer)))


@blp.route("/<int:product_id>")
class OneProduct(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc("ETag"))
    @blp.response(200, ProductSchema)
    @blp.alt_response(304, description="If-None-Match names its version", success=True)
    @blp.alt_response(404, description="No such product")
    @blp.alt_response(412, description="If-Match does not name its version")
    def get(self, product_id: int) -> Any:
        """Return a product. An update needs its ETag in If-Match."""
        product = service.get_product(product_id)
        if not_modified(product.version):  # likes do not change the ETag
            return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag(product.version)})
        with_likes([product])
        return product, {"ETag": etag(product.version)}

    @api_for(EDITOR)
    @blp.doc(**if_match_doc())
    @blp.arguments(ChangesSchema)
    @blp.response(200, ProductSchema)
    @blp.alt_response(409, description="The sku is taken")
    @blp.alt_response(412, description="Someone else changed it")
    def patch(self, changes: dict[str, Any], product_id: int) -> Any:
        """Change the given fields (merge patch). Needs If-Match."""
        return _changed(partial(service.update_product, product_id, changes, expected_versions(), author()))

    @api_for(EDITOR)
    @blp.doc(**if_match_doc())
    @blp.response(204)
    @blp.alt_response(412, description="Someone else changed it")
    def delete(self, product_id: int) -> Any:
        """Delete a product. Needs If-Match. Returns the ETag that a restore needs."""
        return None, {"ETag": etag(service.delete_product(product_id, expected_versions(), author()))}


@blp.route("/<int:product_id>/restore", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**if_match_doc())
@blp.response(200, ProductSchema)
@blp.alt_response(404, description="There never was such a product")
@blp.alt_response(409, description="Another product has its sku")
@blp.alt_response(412, description="Someone else changed it")
def restore(product_id: int) -> Any:
    """Restore a deleted product with its content and likes; others do not change. Needs If-Match."""
    return _changed(partial(service.restore_product, product_id, expected_versions(), author()))


@service_blp.route("/states", methods=["POST"])
@service_only
@service_blp.arguments(StatesQuerySchema)
@service_blp.response(200)
def product_states(query: dict[str, Any]) -> Any:
    """Return products' current states, deleted or not, in the format of messages."""
    return {"states": [message.encode() for message in current_messages(query["ids"])]}


def _body(product: ProductRow) -> dict[str, Any]:
    return dict(_SCHEMA.dump(product))


def _changed(change: Callable[..., ProductRow]) -> Response:
    """Change a product, and return the answer. It is made before the commit: an error after it would suggest that
    nothing had been saved.
    """
    body: dict[str, Any] = {}
    change(before_commit=lambda product: body.update(_body(product), likes=likes_of(product.id)))
    return make_response(body, {"ETag": etag(body["version"])})


def _created(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    location = url_for("products.OneProduct", product_id=body["id"])
    response = make_response(body, HTTPStatus.CREATED)
    response.headers.update({"Location": location, "ETag": etag(body["version"]), **(headers or {})})
    return response
