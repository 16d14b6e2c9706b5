"""The shop's pages: the grid, a product, my likes."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from client.likes import queries as likes
from client.likes import service
from client.replica import queries
from client.storefront import product_grid
from client.storefront.delays import delays
from client.storefront.product_grid import Card, Wanted, cards, grid, me
from runtime.ids import to_ids
from web.http.cursors import BadCursorError
from web.http.problems import wants_page
from web.pages.layout import local_path

MAX_WATCHED = 100  # products in one request
LIKES_PER_PAGE = 24

blp = Blueprint("shop", __name__, template_folder="templates")


@blp.after_request
def _private(response: Response) -> Response:
    """Forbid shared caches, and let browsers revalidate each time."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Cookie")
    return response


@blp.context_processor
def _notice() -> dict[str, Callable[[], str]]:
    """Provide the notice as a function, so that an error page does not read the store."""
    return {"notice": lambda: delays.get().notice}


@blp.get("/")
def index() -> str:
    """Show the grid for search, category, sort and position in the URL."""
    return render_template("storefront/index.html", **_grid_context())


@blp.get("/shop/grid")
def show_grid() -> str:
    """Return only the grid, for the page's script."""
    return render_template("storefront/results.html", **_grid_context())


def _grid_context() -> dict[str, object]:
    wanted = Wanted.from_request()
    return {
        "grid": grid(wanted),
        "wanted": wanted,
        "categories": product_grid.categories.get(),
        "sorts": product_grid.SORTS,
    }


@blp.get("/products/<int:product_id>")
def product(product_id: int) -> ResponseReturnValue:
    """Show a product; for a deleted one a page that offers others."""
    try:
        found = queries.get_product(product_id)
    except queries.ProductGoneError:
        others = cards(queries.list_products(4, None, "", None, "-likes").items)
        return render_template("storefront/gone.html", others=others), HTTPStatus.GONE
    return render_template("storefront/product.html", card=cards([found])[0])


@blp.post("/products/<int:product_id>/like")
def like(product_id: int) -> ResponseReturnValue:
    """Like a product (``liked`` 1) or take the like back (0). Answers the script with JSON, the form with a redirect.

    The second click of a double click may reach the page after the first one, whose button means the opposite, so the
    form is debounced here. The script debounces clicks itself.
    """
    if not current_user.is_authenticated:
        return _sign_in_first(product_id)
    if request.form.get("liked") not in ("0", "1"):
        abort(HTTPStatus.BAD_REQUEST, "The form does not say whether to like the product. Nothing was changed.")
    liked = request.form["liked"] == "1"
    service.set_like(product_id, current_user.id, liked, service.DOUBLE_CLICK if wants_page() else timedelta())
    back = local_path(request.form.get("next"), url_for("shop.product", product_id=product_id))
    if wants_page():
        return redirect(back, HTTPStatus.SEE_OTHER)
    return jsonify(_state(cards([queries.get_product(product_id)])[0]))


def _sign_in_first(product_id: int) -> ResponseReturnValue:
    if not wants_page():
        abort(HTTPStatus.UNAUTHORIZED, "Sign in to like products.")
    return redirect(url_for("account.sign_in", like=product_id, next=local_path(request.form.get("next"), "/")))


@blp.get("/likes")
@login_required
def my_likes() -> str:
    """Show my likes, newest first, with deleted products marked."""
    try:
        page = likes.my_likes(current_user.id, LIKES_PER_PAGE, request.args.get("cursor"))
    except BadCursorError:
        page = likes.my_likes(current_user.id, LIKES_PER_PAGE, None)
    found = {card.product.id: card for card in cards([item.product for item in page.items if item.product])}
    more = url_for("shop.my_likes", cursor=page.next_cursor) if page.next_cursor else None
    return render_template("storefront/likes.html", items=page.items, cards=found, more=more)


@blp.get("/shop/live")
def live() -> Response:
    """Return what may have changed on a page, with an ETag: counts, versions, deleted and new products, delays."""
    ids = to_ids(request.args.get("ids", "").split(","), MAX_WATCHED)
    found = cards(queries.live_products(ids))
    living = {card.product.id for card in found}
    response = jsonify(
        products={card.product.id: _state(card) for card in found},
        gone=[product_id for product_id in ids if product_id not in living],
        newest=product_grid.newest.get(),
        notice=delays.get().notice,
        signed_in=me() is not None,
    )
    response.add_etag()
    response.make_conditional(request)
    return response


def _state(card: Card) -> dict[str, object]:
    return {"likes": card.likes, "liked": card.mine.liked, "version": card.version}
