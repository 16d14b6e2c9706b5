"""Which other sites' scripts may use the REST APIs: none, unless CORS_ORIGINS names them. Never with cookies."""

from flask import Flask, Response, request

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
SENT = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
SHOWN = "ETag, Link, Location, Retry-After, X-Request-ID"
SECONDS = "600"  # how long a browser keeps the answer to its question


def init_cors(app: Flask, origins: set[str]) -> None:
    """Answer scripts from ``origins``. With none of them nothing is said about CORS at all."""

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
