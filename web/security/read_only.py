"""Read-only mode, for showing Lockstep to anyone: people change nothing, while the services go on telling each other.

Refused at the door, whatever a view would do. Signing in changes nothing that others see, so it stays possible where
there is something to see for who is signed in.
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
        super().__init__("This is a read-only demonstration: look around as you like; nothing can be changed here.")


def init_read_only(app: Flask, on: bool, allowed: Set[str]) -> None:
    """Where ``on``, refuse what people would change, but for the endpoints ``allowed``. Pages see ``read_only``."""
    app.extensions[_EXTENSION] = on
    app.jinja_env.globals["read_only"] = on
    if on:
        app.before_request(lambda: _refuse(allowed))


def read_only() -> bool:
    """Return whether this app changes nothing."""
    return has_app_context() and bool(current_app.extensions.get(_EXTENSION))


def _refuse(allowed: Set[str]) -> None:
    by_a_service = request.path.startswith("/service/")  # signed, and how the copy and the likes stay in sync
    if request.method not in _SAFE and not by_a_service and request.endpoint not in allowed:
        raise ReadOnlyError
