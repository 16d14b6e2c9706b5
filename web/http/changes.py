"""Whether the request at hand may have changed anything: what an error's answer may claim, and what it must not.

Both call ``note_write`` right before a write that stays: Admin before each commit, the Client before each write.
"""

from flask import has_request_context, request

_SAFE = {"GET", "HEAD", "OPTIONS"}
_MAY_HAVE_CHANGED = "lockstep.may_have_changed"  # in the environment: an application context may outlive a request


def note_write() -> None:
    """Note that from here on the request may have changed something, whether or not an answer comes."""
    if has_request_context():
        request.environ[_MAY_HAVE_CHANGED] = True


def outcome() -> str:
    """Return a sentence for an error's answer: what became of the change that was asked for; empty where none was."""
    if request.method in _SAFE:
        return ""
    if _MAY_HAVE_CHANGED in request.environ:
        return "It is not known whether your change was saved: look at it before you send it again."
    return "Nothing was changed."
