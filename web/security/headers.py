"""Security headers on every answer of both services (Flask-Talisman), and who is believed about them: a proxy only by
setting, another site's scripts only by setting.
"""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, request
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import RequestRedirect

from runtime.settings import WebSettings
from web.security.addresses import init_addresses
from web.security.cors import init_cors

# Scripts and styles are files of ours; a product's image may be anywhere on the web, and Bootstrap's are in its CSS.
POLICY = {
    "default-src": "'self'",
    "img-src": "'self' https: http: data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
PERMISSIONS = dict.fromkeys(("browsing-topics", "camera", "geolocation", "microphone", "payment"), "()")
HSTS_SECONDS = 365 * 24 * 3600


class _Headers(Talisman):
    """Talisman, but a stricter policy of a view stays, and HSTS is told only where TLS was really used."""

    def _set_content_security_policy_headers(self, headers: Any, options: Any) -> None:
        own = headers.get("Content-Security-Policy")
        super()._set_content_security_policy_headers(headers, options)
        if own:
            headers["Content-Security-Policy"] = own

    def _set_hsts_headers(self, headers: Any) -> None:
        if request.is_secure:
            super()._set_hsts_headers(headers)


def _redirect_to_the_path() -> None:
    """Routing redirects (doubled slashes, a missing one) to an absolute URL made of Host, which the caller wrote."""
    if isinstance(redirect := request.routing_exception, RequestRedirect):
        parts = urlsplit(redirect.new_url)
        redirect.new_url = urlunsplit(("", "", parts.path, parts.query, ""))


def init_headers(app: Flask, settings: WebSettings) -> None:
    """Put the headers on every answer of ``app``, errors too. Before anything else that answers requests."""
    init_addresses(app)
    app.before_request(_redirect_to_the_path)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        believed = dict.fromkeys(("x_for", "x_proto", "x_host", "x_port"), hops)
        app.wsgi_app = ProxyFix(app.wsgi_app, **believed)  # type: ignore[method-assign]
    _Headers(
        app,
        content_security_policy=POLICY,
        permissions_policy=PERMISSIONS,
        frame_options="DENY",
        referrer_policy="strict-origin-when-cross-origin",
        force_https=False,  # the proxy's business; the demo has none
        strict_transport_security_max_age=HSTS_SECONDS,
        strict_transport_security_include_subdomains=False,  # not ours to promise
        session_cookie_secure=False,  # web.security.sessions knows
    )
    init_cors(app, set(filter(None, settings.cors_origins.split(","))))
