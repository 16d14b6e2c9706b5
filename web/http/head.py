"""HEAD: what GET would answer, without a body, a cookie, or a change.

Views see a GET without a body instead, so one that serves a page and its form cannot take HEAD for the form.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SENT = "lockstep.method"  # in the environ: the method as it was sent
_BODY = ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_TRANSFER_ENCODING")


def init_head(app: Flask) -> None:
    """Answer HEAD as GET from now on."""
    app.wsgi_app = _HeadAsGet(app.wsgi_app)  # type: ignore[method-assign]


def sent_method() -> str:
    """Return the method that the caller sent; ``request.method`` says GET for HEAD too."""
    return str(request.environ.get(_SENT, request.method))


def only_looks() -> bool:
    """Return whether this is HEAD: a GET that must change something (a callback) does not do so now."""
    return sent_method() == "HEAD"


class _HeadAsGet:
    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "HEAD":
            return self._app(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() != "set-cookie"]
            return start_response(status, kept, exc_info)

        for name in _BODY:
            environ.pop(name, None)
        environ.update({"REQUEST_METHOD": "GET", _SENT: "HEAD", "wsgi.input": BytesIO()})
        answer = self._app(environ, start)
        if close := getattr(answer, "close", None):
            close()
        return []
