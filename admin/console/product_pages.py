"""Pages of products: the list with sync states, one product on both sides, and resync."""

from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.sessions import page_for
from admin.catalogue import queries
from admin.catalogue.models import Product
from admin.catalogue.schemas import SORTS, STABLE
from admin.console import product_list
from admin.console.blueprint import blp, live
from admin.console.product_list import LISTS, Wanted
from admin.console.product_sync import ProductSync, product_sync
from admin.monitoring.product_status import NeverKnownError
from admin.relay import resync
from contract.product_rules import RULES
from runtime.ids import to_id, to_ids
from web.http.cursors import MAX_LIMIT

_SHOWN = 25
_SORTS = [sort for sort in SORTS if sort != STABLE]  # the latest change first
_MAX_QUERY = 100


@blp.get("/products")
@page_for(VIEWER)
def list_products() -> str:
    wanted = _wanted()
    page = product_list.find(wanted, _SHOWN, request.args.get("cursor"))
    return render_template(
        "console/products.html",
        wanted=wanted,
        page=page,
        counts=product_list.counts(),
        categories=queries.categories(),
        next_url=_next_url(page.next_cursor),
        undo=_just_deleted(),
    )


@blp.get("/products/states.json")
@page_for(VIEWER)
def live_states() -> Response:
    """Return the sync chips and like counts of the products that a page shows."""
    ids = to_ids(request.args.get("ids", "").split(","), MAX_LIMIT)
    regions = {}
    for line in product_list.some(ids):
        regions[f"sync-{line.id}"] = render_template("console/sync_chip.html", sync=line.sync, deleted=line.deleted)
        regions[f"likes-{line.id}"] = f"{line.likes:,}"
    return live(regions)


@blp.get("/products/<int:product_id>")
@page_for(VIEWER)
def show_product(product_id: int) -> str:
    return render_template("console/product.html", found=_product_sync(product_id))


@blp.get("/products/<int:product_id>/live.json")
@page_for(VIEWER)
def live_product(product_id: int) -> Response:
    return live({"now": render_template("console/product_now.html", found=_product_sync(product_id))})


@blp.post("/products/<int:product_id>/resync")
@page_for(EDITOR)
def resync_product(product_id: int) -> AnyResponse:
    if not resync.mark_pending(resync.Selection(ids=[product_id])):
        raise NeverKnownError(f"There never was a product {product_id}.")
    flash("The resync has started. This page shows its progress.", "success")
    return redirect(url_for("console.show_product", product_id=product_id))


@blp.post("/products/resync")
@page_for(EDITOR)
def resync_products() -> AnyResponse:
    ids = to_ids(request.form.getlist("id"), MAX_LIMIT)
    count = resync.mark_pending(resync.Selection(ids=ids)) if ids else 0
    if count:
        flash(f"The resync of {count} products has started.", "success")
    else:
        flash("Select at least one product first.", "warning")
    return redirect(url_for("console.list_products", **_filter()))


def _product_sync(product_id: int) -> ProductSync:
    return product_sync(product_id, 20, request.args.get("cursor"))


def _just_deleted() -> Product | None:
    """Return the product of the address's ``deleted`` parameter while it is deleted, to offer an undo."""
    line = product_list.one(request.args.get("deleted", type=to_id) or 0)
    return line.product if line and line.product and line.product.deleted_at else None


def _wanted() -> Wanted:
    """Read the filter from the address; invalid parameters are ignored."""
    listed, sort = request.args.get("state", ""), request.args.get("sort", "")
    return Wanted(
        listed if listed in LISTS else product_list.ALL,
        request.args.get("q", "").strip()[:_MAX_QUERY].replace("\0", ""),
        RULES["category"].tidy(request.args.get("category", "")) or None,
        sort if sort in _SORTS else _SORTS[0],
    )


def _filter() -> dict[str, Any]:
    """Return the filter of the list, to redirect to it."""
    return {name: value for name in ("state", "q", "category", "sort") if (value := request.args.get(name))}


def _next_url(cursor: str | None) -> str | None:
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'cursor': cursor})}" if cursor else None
