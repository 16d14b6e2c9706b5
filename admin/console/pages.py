"""Registration of the console below ``/console``."""

from pathlib import Path

from flask import Flask, redirect, url_for
from werkzeug.wrappers import Response

from admin.accounts.models import EDITOR
from admin.accounts.sessions import may
from admin.console import dead_letter_pages, editor_pages, import_pages, overview_pages, product_pages
from admin.console.blueprint import blp
from contract.config import BrokerSettings
from contract.versions import version_of
from web.http.images import is_ours

ASSETS = Path(__file__).parent / "static"
PAGES = (
    overview_pages,
    product_pages,
    editor_pages,
    dead_letter_pages,
    import_pages,
)  # importing each registers its views


def init_console(app: Flask, shop_url: str | None, flower_url: str | None) -> None:
    """Serve the console, and redirect ``/`` to it. The URLs are those that browsers use."""
    app.register_blueprint(blp)
    app.add_url_rule("/", "index", _index)
    app.jinja_env.filters["version"] = version_of
    app.jinja_env.globals.update(
        shop_url=shop_url,
        flower_url=flower_url,
        picture_address=lambda url: _picture_address(url, shop_url),
        keeps_dead_letters=lambda: BrokerSettings().keeps_dead_letters,
    )


def _picture_address(image_url: str, shop_url: str | None) -> str:
    """Return the URL of a product's picture: of an upload here, of another path at the shop; "" without one."""
    if not image_url.startswith("/") or is_ours(image_url):
        return image_url
    return f"{shop_url}{image_url}" if shop_url else ""


@blp.context_processor
def _shared() -> dict[str, object]:
    return {"may_edit": may(EDITOR)}


def _index() -> Response:
    return redirect(url_for("console.show_overview"))
