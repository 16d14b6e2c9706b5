"""The JSON of every error: ``application/problem+json`` (RFC 9457).

Browsers that ask for a page get the same problem as a page (web.pages.layout).
"""

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from web.http import changes
from web.http.request_ids import request_id

log = structlog.get_logger(__name__)

PAGES = "problem pages"  # the Flask extension that renders them, where there are pages
FOR_PROGRAMS = ("/api/", "/service/")
PROBLEM_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An error that is answered as a problem; subclasses set ``status`` and ``title``.

    ``detail`` says what to do; ``errors`` is a list of ``{"field", "detail"}``; ``headers`` are added to the answer.
    """

    status = HTTPStatus.BAD_REQUEST
    title: str | None = None

    def __init__(
        self,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.detail, self.errors, self.headers, self.extra = detail, errors or [], headers or {}, extra


def problem(
    status: HTTPStatus,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    title: str | None = None,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> Response:
    """Return the response for a problem. ``extra`` members are added as given (RFC 9457, 3.2)."""
    page = current_app.extensions.get(PAGES)
    if page and wants_page():
        found: Response = page(status, detail, headers or {})
        return found
    body = {
        "type": "about:blank",
        "title": title or status.phrase,
        "status": int(status),
        "detail": detail,
        "request_id": request_id(),
        "errors": errors or [],
        **extra,
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = PROBLEM_TYPE
    response.headers.update(headers or {})
    return response


def wants_page() -> bool:
    """Return whether the caller is a browser that opens a page: it prefers HTML to JSON."""
    accepted = request.accept_mimetypes
    return not request.path.startswith(FOR_PROGRAMS) and accepted["text/html"] > accepted["application/json"]


def init_problems(app: Flask) -> None:
    """Answer ProblemError, werkzeug's HTTP errors and unexpected exceptions as problems."""
    app.register_error_handler(ProblemError, _from_problem)
    app.register_error_handler(HTTPException, from_http_exception)
    app.register_error_handler(Exception, _unexpected)


def from_http_exception(error: HTTPException) -> Response:
    """Return the problem for a werkzeug or webargs error, with its headers (Allow, Retry-After, …)."""
    status = HTTPStatus(error.code or 500)
    data = getattr(error, "data", None) or {}
    fields = list(flatten(data.get("messages", {})))
    detail = "Some fields are invalid; see errors." if fields else (error.description or status.phrase)
    headers = {k: v for k, v in error.get_headers() if k.lower() not in {"content-type", "content-length"}}
    headers.update(data.get("headers") or {})
    return problem(status, detail, fields, headers=headers)


def flatten(messages: Any, path: str = "") -> Any:
    """Yield ``{"field", "detail"}`` for each message of a nested marshmallow error; fields are dotted paths."""
    if isinstance(messages, dict):
        for key, value in messages.items():
            # webargs puts the location ("json", "query") outermost; fields are named without it
            inner = path if not path and key in {"json", "query", "headers", "_schema"} else f"{path}.{key}".lstrip(".")
            yield from flatten(value, inner)
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield {"field": path or "body", "detail": str(message)}


def _from_problem(error: ProblemError) -> Response:
    return problem(error.status, error.detail, error.errors, error.title, error.headers, **error.extra)


def _unexpected(error: Exception) -> Response:
    log.exception("unhandled exception", exc_info=error)
    sentences = ("An internal error occurred.", changes.outcome(), "Report the request_id to the operators.")
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, " ".join(filter(None, sentences)))


def database_unavailable() -> Response:
    """Return the answer for a request while the service's database is down."""
    sentences = ("The database does not answer.", changes.outcome(), "Try again in a moment.")
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, " ".join(filter(None, sentences)), headers={"Retry-After": "5"})
