"""Say in a few words why the other service did not answer, instead of with a chain of a library's exceptions."""

import re

import requests
from urllib3.exceptions import TimeoutError as LateError

_SYSTEM = re.compile(r"\[Errno -?\d+\] ([\w ]+)")


def was_late(error: Exception) -> bool:
    """Return whether the call timed out, rather than was refused or broken off."""
    return isinstance(error, requests.Timeout | LateError | TimeoutError)


def reason(error: Exception) -> str:
    """Return why an HTTP call failed: ``Connection refused``, ``timed out``, or the name of the error's class."""
    if was_late(error):
        return "timed out"
    found = _SYSTEM.search(str(error))
    return found[1] if found else type(error).__name__
