"""Liking over REST: the shopper who is signed in is ``me``."""

from typing import Any

from flask.views import MethodView
from flask_jwt_extended import current_user, jwt_required
from marshmallow import Schema, fields

from client.likes import service
from client.products.queries import get_product
from web.api import Blueprint, bearer_doc

blp = Blueprint("likes", __name__, url_prefix="/api/v1/products", description="Likes")


class LikeSchema(Schema):
    product = fields.Integer()
    liked = fields.Boolean()
    likes = fields.Integer(metadata={"description": "the product's count, at most a second old"})


@blp.route("/<int:product_id>/likes/me")
class MyLike(MethodView):
    decorators = [jwt_required()]

    @blp.doc(**bearer_doc())
    @blp.response(200, LikeSchema)
    def get(self, product_id: int) -> Any:
        """Say whether I like a product."""
        product = get_product(product_id)
        liked = service.is_liked(product_id, current_user.id)
        return {"product": product_id, "liked": liked, "likes": product.likes}

    @blp.doc(**bearer_doc())
    @blp.response(200, LikeSchema)
    def put(self, product_id: int) -> Any:
        """Like a product; again changes nothing."""
        product = service.set_like(product_id, current_user.id, True)
        return {"product": product_id, "liked": True, "likes": product.likes}

    @blp.doc(**bearer_doc())
    @blp.response(200, LikeSchema)
    def delete(self, product_id: int) -> Any:
        """Take a like back; again changes nothing."""
        product = service.set_like(product_id, current_user.id, False)
        return {"product": product_id, "liked": False, "likes": product.likes}
