"""Likes over REST. ``me`` is the shopper who is signed in."""

from typing import Any

from flask.views import MethodView
from marshmallow import Schema, fields

from client.accounts.tokens import me, signed_in_only
from client.likes import queries, service
from client.replica.queries import get_product
from client.rest.product_schemas import ProductSchema
from contract.messages import format_time
from web.http.api import Blueprint, bearer_doc
from web.http.cursors import PageSchema, next_link

blp = Blueprint("likes", __name__, url_prefix="/api/v1", description="Likes")


class LikeSchema(Schema):
    product = fields.Integer()
    liked = fields.Boolean()
    likes = fields.Integer(metadata={"description": "the product's, at most a second old; yours is counted"})


class MyLikeSchema(Schema):
    id = fields.Integer(metadata={"description": "the product's id"})
    liked_at = fields.Function(
        lambda like: format_time(like.liked_at), metadata={"type": "string", "format": "date-time"}
    )
    product = fields.Nested(ProductSchema, allow_none=True, metadata={"description": "null: it is deleted"})


class MyLikesSchema(Schema):
    items = fields.List(fields.Nested(MyLikeSchema))
    next_cursor = fields.String(allow_none=True)


@blp.route("/likes/me")
class MyLikes(MethodView):
    decorators = [signed_in_only]

    @blp.doc(**bearer_doc())
    @blp.arguments(PageSchema, location="query")
    @blp.response(200, MyLikesSchema)
    def get(self, query: dict[str, Any]) -> Any:
        """List my likes, newest first; follow the Link header to the next page.

        A product that I like again meanwhile moves to the first page.
        """
        page = queries.my_likes(me().id, **query)
        return page, next_link(page.next_cursor)


@blp.route("/products/<int:product_id>/likes/me")
class MyLike(MethodView):
    decorators = [signed_in_only]

    @blp.doc(**bearer_doc())
    @blp.response(200, LikeSchema)
    def get(self, product_id: int) -> Any:
        """Show whether I like a product."""
        product = get_product(product_id)
        mine = queries.mine([product_id], me().id).get(product_id, queries.NOT_MINE)
        return {"product": product_id, "liked": mine.liked, "likes": product.likes + mine.uncounted}

    @blp.doc(**bearer_doc())
    @blp.response(200, LikeSchema)
    def put(self, product_id: int) -> Any:
        """Like a product; repeating it changes nothing."""
        likes = service.set_like(product_id, me().id, True)
        return {"product": product_id, "liked": True, "likes": likes}

    @blp.doc(**bearer_doc())
    @blp.response(200, LikeSchema)
    def delete(self, product_id: int) -> Any:
        """Take a like back; repeating it changes nothing."""
        likes = service.set_like(product_id, me().id, False)
        return {"product": product_id, "liked": False, "likes": likes}
