"""Keyset pagination: signed cursors and ``Link`` headers (RFC 8288)."""

from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer

from web.http.problems import ProblemError

MAX_LIMIT = 100
LINK_DOC = {
    "description": "The next page, unless this is the last (RFC 8288).",
    "schema": {"type": "string"},
    "example": '</api/v1/products?cursor=...>; rel="next"',
}


class BadCursorError(ProblemError):
    """The cursor was not made by this service, or was made for another sort."""


class PageSchema(ma.Schema):
    """Query parameters of every list."""

    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, MAX_LIMIT))
    cursor = ma.fields.String(load_default=None, allow_none=False, validate=ma.validate.Length(max=1000))


def encode(sort: str, position: list[Any]) -> str:
    """Return an opaque cursor for the row at ``position`` (its sort values, in JSON types)."""
    return str(_serializer().dumps([sort, position]))


def decode(cursor: str | None, sort: str) -> list[Any] | None:
    """Return the position in ``cursor``, None for the first page. Raises BadCursorError."""
    if cursor is None:
        return None
    try:
        made_for, position = _serializer().loads(cursor)
    except (BadData, ValueError, TypeError):
        raise _bad() from None
    if (
        made_for != sort
        or not isinstance(position, list)
        or not all(isinstance(value, str | int) for value in position)
    ):
        raise _bad()
    return position


def next_link(cursor: str | None) -> dict[str, str]:
    """Return the ``Link`` header of the next page, empty on the last page."""
    if cursor is None:
        return {}
    query = urlencode({**request.args.to_dict(), "cursor": cursor})
    return {"Link": f'<{request.path}?{query}>; rel="next"'}


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="cursor")


def _bad() -> BadCursorError:
    detail = "is invalid or belongs to another sort; start again without a cursor"
    return BadCursorError("The cursor is not valid.", [{"field": "cursor", "detail": detail}])
