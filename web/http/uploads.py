"""Views that accept files or long lists, each with its own size limit; the limit of all other bodies is small."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException

from web.http.problems import ProblemError

T = TypeVar("T")
MULTIPART = "multipart/form-data"
_MIB = 1024 * 1024
_FIELDS = 64 * 1024  # bytes for the other fields of a form with a file


class UploadTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class LengthRequiredError(ProblemError):
    status = HTTPStatus.LENGTH_REQUIRED


def accepts_upload(mebibytes: int) -> Callable[[T], T]:
    """Let a view, or a class of views, accept a form with a file of at most this size."""

    def set_limit(view: T) -> T:
        view.upload_limit = mebibytes * _MIB  # type: ignore[attr-defined]
        return view

    return set_limit


def accepts_body(mebibytes: int) -> Callable[[T], T]:
    """Let a view accept a JSON body of at most this size."""

    def set_limit(view: T) -> T:
        view.body_limit = mebibytes * _MIB  # type: ignore[attr-defined]
        return view

    return set_limit


def body_limit(app: Flask, endpoint: str | None) -> int:
    """Return the largest body in bytes that the view at ``endpoint`` accepts, uploads aside."""
    return _limit(app, endpoint, "body_limit") or int(app.config["MAX_CONTENT_LENGTH"] or sys.maxsize)


def check_upload() -> bool:
    """Raise the body limit for a form to a view that accepts files; return whether this request is one.

    Raises UploadTooLargeError and LengthRequiredError before the body is read.
    """
    limit = _limit(current_app, request.endpoint, "upload_limit")
    if limit is None or request.mimetype != MULTIPART:
        return False
    if request.content_length is None:
        raise LengthRequiredError("Send the file with a Content-Length header.")
    if request.content_length > limit + _FIELDS:
        raise UploadTooLargeError(f"The file is too large. The limit is {limit // _MIB} MB.")
    request.max_content_length = limit + _FIELDS
    return True


def largest_body(app: Flask, method: str, path: str, content_type: str) -> int:
    """Return the largest body in bytes that ``app`` reads for a request with this head.

    ``path`` is as in WSGI: bytes decoded as Latin-1.
    """
    try:
        endpoint, _ = app.url_map.bind("").match(path.encode("latin-1").decode("utf-8", "replace"), method)
    except HTTPException:
        endpoint = None
    limit = _limit(app, endpoint, "upload_limit")
    if limit is None or content_type.partition(";")[0].strip().lower() != MULTIPART:
        return body_limit(app, endpoint)
    return limit + _FIELDS


def _limit(app: Flask, endpoint: str | None, name: str) -> int | None:
    view: Any = app.view_functions.get(endpoint or "")
    found = getattr(view, name, None) or getattr(getattr(view, "view_class", None), name, None)
    return found if isinstance(found, int) else None
