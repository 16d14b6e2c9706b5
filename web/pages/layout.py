"""Pages of both services: one layout, one set of components, one theme (docs/pages.md has the rules)."""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request
from flask_bootstrap import Bootstrap5
from markupsafe import Markup

from contract.currencies import price_text
from contract.search_terms import NO_TERMS, finds_nothing
from runtime.bidi import bdi, isolated
from web.http.problems import PAGES
from web.http.request_ids import request_id
from web.pages.assets import ICONS, ICONS_FILE, asset, init_assets

THEMES = ("auto", "light", "dark")  # the order in which the switch goes through them
THEME_COOKIE = "theme"
THEME_SECONDS = 365 * 24 * 3600

blp = Blueprint("web", __name__, template_folder="templates")


def init_pages(app: Flask, site: str, assets: dict[str, Path]) -> None:
    """Give ``app`` pages. ``site`` is its name in titles; ``assets`` are its folders of static files, by prefix.

    The service brings ``base.html``, which extends ``layout.html`` with its navigation; every page extends that.
    """
    app.config.setdefault("BOOTSTRAP_SERVE_LOCAL", True)
    Bootstrap5(app)
    init_assets(app, assets)
    app.register_blueprint(blp)
    app.jinja_env.globals.update(asset=asset, icon=icon, site=site, no_terms=NO_TERMS, price_text=price_text)
    app.jinja_env.filters.update(utc=utc, isoformat=isoformat, bdi=bdi, isolated=isolated)
    app.jinja_env.tests.update(finds_nothing=finds_nothing)
    app.context_processor(lambda: {"theme": theme(), "themes": THEMES})
    app.extensions[PAGES] = _error_page


def theme() -> str:
    """Return what the reader chose; ``auto`` follows the device."""
    chosen = request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else "auto"


@blp.post("/theme")
def choose_theme() -> Response:
    """Keep the choice in a cookie, which holds nothing else, and go back: the switch without JavaScript."""
    response = redirect(local_path(request.form.get("next"), "/"))
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(THEME_COOKIE, chosen, max_age=THEME_SECONDS, samesite="Lax", secure=request.is_secure)
    return make_response(response)


def local_path(url: str | None, default: str) -> str:
    """Return ``url`` where it is a path of this site, else ``default``: never a way out to another host."""
    parts = urlsplit(url or "")
    safe = url and not (parts.scheme or parts.netloc) and url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if safe and url and url.isprintable() else default


def icon(name: str, label: str = "") -> Markup:
    """Return an icon of ``web/pages/static/icons.txt``: for the eye alone, unless ``label`` says what it means."""
    if name not in ICONS:
        raise ValueError(f"add {name!r} to web/pages/static/icons.txt")
    url = f"{asset(ICONS_FILE)}#{name}"
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" width="16" height="16" {}><use href="{}"></use></svg>').format(said, url)


def utc(moment: datetime | str) -> str:
    """Return ``25 Nov 2026, 04:11 UTC``: what stands in the page until the script puts it in the reader's zone."""
    return f"{_aware(moment):%-d %b %Y, %H:%M} UTC"


def isoformat(moment: datetime | str) -> str:
    """Return the value of a ``datetime`` attribute."""
    return _aware(moment).isoformat().replace("+00:00", "Z")


def _aware(moment: datetime | str) -> datetime:
    """Databases give UTC with and without saying so, the other service RFC 3339."""
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_HEADLINES = {
    HTTPStatus.UNAUTHORIZED: "Please sign in",
    HTTPStatus.FORBIDDEN: "You may not do that",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "That does not work here",
    HTTPStatus.GONE: "This is gone",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large",
    HTTPStatus.TOO_MANY_REQUESTS: "That was a little fast",
    HTTPStatus.SERVICE_UNAVAILABLE: "We will be back in a moment",
}


def _error_page(status: HTTPStatus, detail: str, headers: dict[str, str]) -> Response:
    """What problem+json is to programs. After a failure of ours the page asks nothing of any store: ``bare``."""
    bare = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    headline = _HEADLINES.get(status) or ("Something went wrong" if bare else status.phrase)
    page = render_template(
        "error.html", status=status, headline=headline, detail=detail, bare=bare, request_id=request_id()
    )
    response = make_response(page, status)
    response.headers.update(headers)
    response.headers["Cache-Control"] = "no-store"
    return response
