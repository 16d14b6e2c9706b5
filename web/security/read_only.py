"""Read-only mode, for public demonstrations: changes by people are refused, while the services stay in sync.

Requests are refused before their view. Signing in stays possible where it shows more, as it changes nothing that others
see.
"""

from collections.abc import Set
from http import HTTPStatus

from flask import Flask, current_app, has_app_context, request

from web.http.problems import ProblemError

_SAFE = {"GET", "HEAD", "OPTIONS"}
_EXTENSION = "read_only"


class ReadOnlyError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    title = "Read-only"

    def __init__(self) -> None:
        super().__init__("This is a read-only demonstration. Changes are not possible here.")


def init_read_only(app: Flask, on: bool, allowed: Set[str]) -> None:
    """Where ``on``, refuse changes by people except at the endpoints ``allowed``. Templates have ``read_only``."""
    app.extensions[_EXTENSION] = on
    app.jinja_env.globals["read_only"] = on
    if on:
        app.before_request(lambda: _refuse(allowed))


def read_only() -> bool:
    """Return whether this app is in read-only mode."""
    return has_app_context() and bool(current_app.extensions.get(_EXTENSION))


def _refuse(allowed: Set[str]) -> None:
    by_a_service = request.path.startswith("/service/")  # signed; these keep products and likes in sync
    if request.method not in _SAFE and not by_a_service and request.endpoint not in allowed:
        raise ReadOnlyError
