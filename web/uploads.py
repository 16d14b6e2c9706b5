"""Views that take files: each says how large a request it accepts; every other body stays small."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import current_app, request

from web.problems import ProblemError

T = TypeVar("T")
MULTIPART = "multipart/form-data"
_MIB = 1024 * 1024
_FIELDS = 64 * 1024  # bytes for what a form holds beside its file


class UploadTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class LengthRequiredError(ProblemError):
    status = HTTPStatus.LENGTH_REQUIRED


def takes_upload(mebibytes: int) -> Callable[[T], T]:
    """Mark a view, or a class of views, that takes a form with a file of at most this size."""

    def mark(view: T) -> T:
        view.upload_limit = mebibytes * _MIB  # type: ignore[attr-defined]
        return view

    return mark


def check_upload() -> bool:
    """Return whether this request brings a form to a view that takes files, and make room for it.

    Raises UploadTooLargeError and LengthRequiredError before anything is read.
    """
    limit = _limit()
    if limit is None or request.mimetype != MULTIPART:
        return False
    if request.content_length is None:
        raise LengthRequiredError("Send the file with a Content-Length.")
    if request.content_length > limit + _FIELDS:
        raise UploadTooLargeError(f"The file may have {limit // _MIB} MB at most.")
    request.max_content_length = limit + _FIELDS
    return True


def _limit() -> int | None:
    view: Any = current_app.view_functions.get(request.endpoint or "")
    found = getattr(view, "upload_limit", None) or getattr(getattr(view, "view_class", None), "upload_limit", None)
    return found if isinstance(found, int) else None
