"""``X-Request-ID``: taken from the caller or made here, echoed, bound to the logs, handed on."""

import re
import uuid

import structlog
from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def init_request_ids(app: Flask) -> None:
    app.before_request(_bind)
    app.after_request(_echo)


def request_id() -> str | None:
    """Return the id of the request being handled; None outside of one."""
    return g.get("request_id") if has_request_context() else None


def _bind() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _echo(response: Response) -> Response:
    response.headers[HEADER] = g.get("request_id", "")
    return response
