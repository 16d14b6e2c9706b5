"""Security headers of every answer (Flask-Talisman). Settings name the trusted proxies and sites."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, request
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import RequestRedirect

from runtime.settings import WebSettings
from web.security.addresses import init_addresses
from web.security.cors import init_cors

# Scripts and styles are our own files; product images may be on any site, and Bootstrap's images are in its CSS.
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
    """Talisman that respects a view's own policy, and sends HSTS only over TLS."""

    def _set_content_security_policy_headers(self, headers: Any, options: Any) -> None:
        own = headers.get("Content-Security-Policy")
        super()._set_content_security_policy_headers(headers, options)
        if own:
            headers["Content-Security-Policy"] = own

    def _set_hsts_headers(self, headers: Any) -> None:
        if request.is_secure:
            super()._set_hsts_headers(headers)


def _redirect_to_the_path() -> None:
    """Redirect to a path only: routing (for doubled or missing slashes) uses the Host header, which callers control."""
    if isinstance(redirect := request.routing_exception, RequestRedirect):
        parts = urlsplit(redirect.new_url)
        redirect.new_url = urlunsplit(("", "", parts.path, parts.query, ""))


def init_headers(app: Flask, settings: WebSettings) -> None:
    """Add the headers to every answer of ``app``, also to errors. Call it before all other set-up of requests."""
    init_addresses(app)
    app.before_request(_redirect_to_the_path)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        trusted = dict.fromkeys(("x_for", "x_proto", "x_host", "x_port"), hops)
        app.wsgi_app = ProxyFix(app.wsgi_app, **trusted)  # type: ignore[method-assign]
    _Headers(
        app,
        content_security_policy=POLICY,
        permissions_policy=PERMISSIONS,
        frame_options="DENY",
        referrer_policy="strict-origin-when-cross-origin",
        force_https=False,  # a proxy does this; the demo has none
        strict_transport_security_max_age=HSTS_SECONDS,
        strict_transport_security_include_subdomains=False,  # subdomains belong to other services
        session_cookie_secure=False,  # set by web.security.sessions
    )
    init_cors(app, set(filter(None, settings.cors_origins.split(","))))
