"""CORS: scripts of the sites in CORS_ORIGINS may call the REST APIs, without cookies. By default, no site may."""

from flask import Flask, Response, request

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
SENT = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
SHOWN = "ETag, Link, Location, Retry-After, X-Request-ID"
SECONDS = "600"  # for which a browser caches the answer to a preflight request


def init_cors(app: Flask, origins: set[str]) -> None:
    """Send CORS headers to scripts of ``origins``; without any origins, send none at all."""

    def allow(response: Response) -> Response:
        if not request.path.startswith("/api/"):
            return response
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin not in origins:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = SHOWN
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = SENT
            response.headers["Access-Control-Max-Age"] = SECONDS
        return response

    if origins:
        app.after_request(allow)
