"""Answers of the other service: read within a time and a size in all."""

import time

from requests import Response


def read(response: Response, until: float, most: int) -> bytes | None:
    """Return the body of ``response``, which is streamed; None where it is longer than ``most`` bytes, or not there
    at the time ``until`` of ``time.monotonic()``.

    A timeout of requests' is for each packet alone, so that a body that trickles would never end. Raises urllib3's
    and the system's errors.
    """
    parts, size = [], 0
    while part := response.raw.read1(65_536, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > most or time.monotonic() > until:
            return None
    return b"".join(parts)
