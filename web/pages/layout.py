"""Pages of both services: a common layout, components and themes (docs/pages.md has the rules)."""

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

THEMES = ("auto", "light", "dark")  # in the order of the switch
THEME_COOKIE = "theme"
THEME_SECONDS = 365 * 24 * 3600

blp = Blueprint("web", __name__, template_folder="templates")


def init_pages(app: Flask, site: str, assets: dict[str, Path]) -> None:
    """Set up pages of ``app``. ``site`` is its name in titles; ``assets`` are folders of static files, by prefix.

    The service has a ``base.html``, which adds its navigation to ``layout.html``; every page extends ``base.html``.
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
    """Return the theme that the reader chose; ``auto`` follows the device."""
    chosen = request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else "auto"


@blp.post("/theme")
def choose_theme() -> Response:
    """Store the choice in a cookie of its own and return to the page: the switch works without JavaScript."""
    response = redirect(local_path(request.form.get("next"), "/"))
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(THEME_COOKIE, chosen, max_age=THEME_SECONDS, samesite="Lax", secure=request.is_secure)
    return make_response(response)


def local_path(url: str | None, default: str) -> str:
    """Return ``url`` where it is a path of this site, else ``default``. It never leads to another host."""
    parts = urlsplit(url or "")
    safe = url and not (parts.scheme or parts.netloc) and url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if safe and url and url.isprintable() else default


def icon(name: str, label: str = "") -> Markup:
    """Return an icon of ``web/pages/static/icons.txt``: hidden from screen readers, unless it has a ``label``."""
    if name not in ICONS:
        raise ValueError(f"add {name!r} to web/pages/static/icons.txt")
    url = f"{asset(ICONS_FILE)}#{name}"
    attributes = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" width="16" height="16" {}><use href="{}"></use></svg>').format(attributes, url)


def utc(moment: datetime | str) -> str:
    """Return ``25 Nov 2026, 04:11 UTC``, which the script of the page replaces by local time."""
    return f"{_aware(moment):%-d %b %Y, %H:%M} UTC"


def isoformat(moment: datetime | str) -> str:
    """Return the value of a ``datetime`` attribute."""
    return _aware(moment).isoformat().replace("+00:00", "Z")


def _aware(moment: datetime | str) -> datetime:
    """Return ``moment`` with a zone: databases give UTC with or without one, the other service gives RFC 3339."""
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_HEADLINES = {
    HTTPStatus.UNAUTHORIZED: "Please sign in",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Page not found",
    HTTPStatus.METHOD_NOT_ALLOWED: "Not possible here",
    HTTPStatus.GONE: "No longer available",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.SERVICE_UNAVAILABLE: "Temporarily unavailable",
}


def _error_page(status: HTTPStatus, detail: str, headers: dict[str, str]) -> Response:
    """Render a problem as a page. After an internal error it is ``bare``: rendered without reading any store."""
    bare = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    headline = _HEADLINES.get(status) or ("Something went wrong" if bare else status.phrase)
    page = render_template(
        "error.html", status=status, headline=headline, detail=detail, bare=bare, request_id=request_id()
    )
    response = make_response(page, status)
    response.headers.update(headers)
    response.headers["Cache-Control"] = "no-store"
    return response
