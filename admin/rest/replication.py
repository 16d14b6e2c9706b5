"""REST: the status of the replication and of one product, and the resync of a product."""

from typing import Any

from flask import url_for
from flask.views import MethodView

from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.tokens import api_for
from admin.monitoring import product_status, status
from admin.relay.resync import Selection, mark_pending
from admin.rest.replication_schemas import ProductStatusSchema, StatusSchema, VersionsQuerySchema
from web.http.api import Blueprint, bearer_doc
from web.http.cursors import next_link

blp = Blueprint("replication", __name__, url_prefix="/api/v1", description="Sync status and resync")


@blp.route("/replication")
class ReplicationStatus(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.response(200, StatusSchema)
    def get(self) -> Any:
        """Return what is out of sync with the Client, since when and why."""
        return status.status()


@blp.route("/products/<int:product_id>/replication")
class ProductReplication(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.arguments(VersionsQuerySchema, location="query")
    @blp.response(200, ProductStatusSchema)
    @blp.alt_response(404, description="There never was such a product")
    def get(self, query: dict[str, Any], product_id: int) -> Any:
        """Return the sync status of a product, deleted or not, with the history of its versions."""
        shown = product_status.product_status(product_id, **query)
        return shown, next_link(shown.next_cursor)


@blp.route("/products/<int:product_id>/resync", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.response(202)
@blp.alt_response(404, description="There never was such a product")
def resync(product_id: int) -> Any:
    """Send a product, deleted or not, again. An equal copy at the Client stays untouched."""
    if not mark_pending(Selection(ids=[product_id])):
        raise product_status.NeverKnownError(f"There never was a product {product_id}.")
    return None, {"Location": url_for("replication.ProductReplication", product_id=product_id)}
