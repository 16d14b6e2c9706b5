"""Why the other service did not answer, in the words that a person needs: not a driver's nest of exceptions."""

import re

import requests
from urllib3.exceptions import TimeoutError as LateError

_SYSTEM = re.compile(r"\[Errno -?\d+\] ([\w ]+)")


def was_late(error: Exception) -> bool:
    """Whether the other service let the caller wait, rather than refuse or break off."""
    return isinstance(error, requests.Timeout | LateError | TimeoutError)


def reason(error: Exception) -> str:
    """Return why a call by HTTP got no answer: ``Connection refused``, ``timed out``, or what the error is called."""
    if was_late(error):
        return "timed out"
    said = _SYSTEM.search(str(error))
    return said[1] if said else type(error).__name__
