"""Why the other service did not answer, in the words that a person needs: not a driver's nest of exceptions."""

import re

import requests
from urllib3.exceptions import TimeoutError as LateError

_SYSTEM = re.compile(r"\[Errno -?\d+\] ([\w ]+)")


def reason(error: Exception) -> str:
    """Return why a call by HTTP got no answer: ``Connection refused``, ``timed out``, or what the error is called."""
    if isinstance(error, requests.Timeout | LateError | TimeoutError):
        return "timed out"
    said = _SYSTEM.search(str(error))
    return said[1] if said else type(error).__name__
