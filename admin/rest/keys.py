"""The header ``Idempotency-Key``."""

import re
from http import HTTPStatus

from flask import request

from web.http.openapi import KEY_PATTERN
from web.http.problems import ProblemError


class BadKeyError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


def idempotency_key() -> str | None:
    """Return the request's key, None without one. Raises BadKeyError."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(KEY_PATTERN, key):
        detail = "must have 1 to 100 visible ASCII characters"
        raise BadKeyError("The Idempotency-Key is not valid.", [{"field": "Idempotency-Key", "detail": detail}])
    return key
