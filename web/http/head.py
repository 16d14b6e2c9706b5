"""Answer HEAD as GET, without a body, a cookie, or a change.

Views see a GET without a body, so a view for a page and its form cannot mistake HEAD for the form.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SENT = "lockstep.method"  # in the WSGI environ: the method as sent
_BODY = ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_TRANSFER_ENCODING")


def init_head(app: Flask) -> None:
    """Make ``app`` answer HEAD as GET."""
    app.wsgi_app = _HeadAsGet(app.wsgi_app)  # type: ignore[method-assign]


def sent_method() -> str:
    """Return the method that the caller sent; ``request.method`` says GET for HEAD too."""
    return str(request.environ.get(_SENT, request.method))


def is_head() -> bool:
    """Return whether this request is HEAD. A GET view that changes something (a callback) checks it first."""
    return sent_method() == "HEAD"


class _HeadAsGet:
    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "HEAD":
            return self._app(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            shown = [(name, value) for name, value in headers if name.lower() != "set-cookie"]
            return start_response(status, shown, exc_info)

        for name in _BODY:
            environ.pop(name, None)
        environ.update({"REQUEST_METHOD": "GET", _SENT: "HEAD", "wsgi.input": BytesIO()})
        answer = self._app(environ, start)
        if close := getattr(answer, "close", None):
            close()
        return []
