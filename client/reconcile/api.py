"""What Admin alone may ask of the copy, signed: comparison, repair, rebuild."""

from typing import Any

from client.reconcile.extent import extent
from web.api import Blueprint
from web.signatures import service_only

blp = Blueprint("reconcile", __name__, url_prefix="/service/v1/products", description="For Admin only")


@blp.route("/extent", methods=["POST"])
@service_only
@blp.response(200)
def show_extent() -> Any:
    """Say the highest id and ver, and how many products are held."""
    return extent()
