"""The shop's REST API for products, and Admin's signed call for replica states."""

from typing import Any

from flask.views import MethodView

from client import heartbeat
from client.replica import queries
from client.replica.state import exchange_generations, replica_states
from client.rest.product_schemas import ListQuerySchema, ProductListSchema, ProductSchema, ReplicaStatesQuerySchema
from client.store import clock
from contract.messages import format_time
from contract.service_calls import PRODUCTS
from web.http.api import Blueprint
from web.http.cursors import next_link
from web.security.signatures import service_only

blp = Blueprint("products", __name__, url_prefix="/api/v1/products", description="The shop")
service_blp = Blueprint("replica_states", __name__, url_prefix=PRODUCTS, description="For Admin only")


@blp.route("")
class Products(MethodView):
    @blp.arguments(ListQuerySchema, location="query")
    @blp.response(200, ProductListSchema)
    def get(self, query: dict[str, Any]) -> Any:
        """List products; follow the Link header to the next page."""
        page = queries.list_products(**query)
        return page, next_link(page.next_cursor)


@blp.route("/<int:product_id>")
class OneProduct(MethodView):
    @blp.response(200, ProductSchema)
    @blp.alt_response(404, description="No such product, or it has not arrived yet")
    @blp.alt_response(410, description="It was deleted")
    def get(self, product_id: int) -> Any:
        """Show a product."""
        return queries.get_product(product_id)


@service_blp.route("/replica-states", methods=["POST"])
@service_only
@service_blp.arguments(ReplicaStatesQuerySchema)
@service_blp.response(200)
def show_replica_states(query: dict[str, Any]) -> Any:
    """Show the replica state of each given product."""
    heartbeat.record(heartbeat.ADMIN)
    known = exchange_generations(query["generation"], query["epoch"], query["acknowledged"])
    states = [state.encode() for state in replica_states(query["ids"])]
    return {"states": states, "generation": known, "now": format_time(clock())}
