"""Track whether the current request may have changed anything, for the text of an error.

``record_write`` is called right before a durable write: at Admin before each commit, at the Client before each write.
"""

from flask import has_request_context, request

_SAFE = {"GET", "HEAD", "OPTIONS"}
_MAY_HAVE_CHANGED = "lockstep.may_have_changed"  # in the WSGI environ: an application context may outlive a request


def record_write() -> None:
    """Record that the request may have changed something from here on."""
    if has_request_context():
        request.environ[_MAY_HAVE_CHANGED] = True


def outcome() -> str:
    """Return a sentence for an error's answer about the requested change; empty for a request that only reads."""
    if request.method in _SAFE:
        return ""
    if _MAY_HAVE_CHANGED in request.environ:
        return "It is unknown whether your change was saved. Check before you send it again."
    return "Nothing was changed."
